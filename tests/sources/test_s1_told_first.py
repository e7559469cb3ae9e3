"""S1, told first: an article is sold out, a thousand customers hear it from us, and systems tell it twice."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.support.batches import Event, tell, told
from tests.support.customers import Customer, customer
from tests.support.http import Service
from tests.support.receivers import Delivered, in_turn, receiver, status
from tests.support.webhooks import office_of

INCIDENT = "0192e4a0-0000-7000-8000-0000000000aa"
WAITING = 1_000
SOLD_OUT = {
    "what": "not_available",
    "detection": "system_detected",
    "fault": "firm",
    "incident_id": INCIDENT,
    "description": "The shoes you ordered are sold out.",
}


# What a thousand cost does not depend on the kind of database: PostgreSQL always, SQLite in a soak.
@pytest.mark.parametrize(
    "module_database", ["postgresql", pytest.param("sqlite", marks=pytest.mark.soak)], indirect=True
)
def test_s1_6_a_thousand_customers_of_one_incident_are_told_before_they_ask(house: Service):
    sold_out = [told("failure.reported", f"order-{n}", **SOLD_OUT) for n in range(WAITING)]
    first = tell(house, sold_out)
    assert {one["status"] for one in first} == {201}
    # The warehouse sends its list again, as warehouses do.
    again = tell(house, sold_out[:200])
    assert [one["replayed"] for one in again] == [True] * 200
    assert [one["receipts"] for one in again] == [one["receipts"] for one in first[:200]]

    house.clock.forward(minutes=30)
    mail = {"kind": "proactive", "two_way": True, "human": False}
    tell(house, [told("customer.updated", f"order-{n}", **mail) for n in range(900)])
    answer = customer(house, "order-950").when("contact-again", channel="phone")
    assert answer["receipts"]

    report = house.get("/v1/reports/told-first")
    assert (report["n"], report["asked_first"], report["not_yet"]) == (1_000, 1, 99)
    rate = report["told_first"]
    assert (rate["hits"], rate["n"], rate["share"]) == (900, 1_000, 0.9)
    assert rate["low"] < 0.9 < rate["high"]
    # An automatic message in time meets the clock, for nobody had to ask.
    steps = house.get("/v1/reports/deadlines")["steps"]
    [tell_them] = [one for one in steps if (one["step"], one["severity"]) == ("acknowledge", 2)]
    assert (tell_them["running"], tell_them["met"], tell_them["told_first"]) == (100, 900, 900)


def cd(house: Service, number: str, began: Any) -> list[Event]:
    """A faulty disc, told by four systems, each with the time when it happened."""

    def at(topic: str, minute: int, **data: Any) -> Event:
        time = (began + timedelta(minutes=minute)).isoformat()
        return told(topic, number, key=f"{number}:{topic}", time=time, **data)

    return [
        at("failure.reported", 0, what="wrong_or_broken", fault="firm", description="The third song jumps."),
        at("recovery.acknowledged", 9, channel="phone"),
        at("apology.made", 10, said="admits_and_commits", feeling_named=True, stage="acknowledgement"),
        at("remedy.delivered", 50, remedy_kind="replacement", resolves="full", how="sent"),
    ]


def standing(of: Customer) -> tuple[Any, ...]:
    """What the house knows of him, whatever the order in which it heard."""
    page, recovery = of.satisfaction(), of.recovery()
    known = ("score", "band", "status", "coverage")
    return (*(page[one] for one in known), recovery["phase"], recovery["deadlines"], recovery["checklist"])


def heard(house: Service, number: str, events: Sequence[Event]) -> Customer:
    """A customer of whom these were told, in this order."""
    assert {one["status"] for one in tell(house, events)} == {201}
    return customer(house, number)


def test_s1_17_told_twice_and_out_of_order_it_is_the_same_story(house: Service):
    began = house.clock.now - timedelta(hours=2)
    first = cd(house, "in order", began)
    reported, *rest = cd(house, "mixed", began)
    in_order = heard(house, "in order", first)
    mixed = heard(house, "mixed", [reported, *rest[::-1], reported, *rest])
    assert standing(mixed) == standing(in_order)
    assert mixed.scored() == (6896, "satisfied")
    assert sorted(mixed.kinds()) == sorted(in_order.kinds())


def test_s1_17_whoever_keeps_customers_elsewhere_reads_on_from_where_he_stopped(house: Service):
    told_of = customer(house, "elsewhere")
    here = house.get("/v1/events?limit=1")["data"][0]["sequence"]
    answer = told_of.when("report-failure", what="late", description="An hour.")
    page = house.get(f"/v1/events?after={answer['position'] - 1}&limit=1")
    assert [one["subject"] for one in page["data"]] == [told_of.customer_id]
    assert page["end_of_log"]
    assert house.get(f"/v1/events?after={page['next']}")["data"] == []
    assert int(here) < answer["position"]


def kept(house: Service, secret: str, told: Iterable[Delivered]) -> dict[str, list[tuple[str, str]]]:
    """What a CRM keeps that checks each message and reads each event once: of each customer his story."""
    seen: dict[str, Any] = {}
    for one in told:
        sent = datetime.fromtimestamp(int(one.headers["webhook-timestamp"]), UTC)
        assert one.headers["webhook-signature"] == Webhook(secret).sign(one.id, sent, one.body.decode())
        if one.id not in seen:
            [seen[one.id]] = house.get(one.json["data"]["read"].removeprefix("http://127.0.0.1:8080"))["data"]
    stories: dict[str, list[tuple[str, str]]] = {}
    for event in sorted(seen.values(), key=lambda event: str(event["sequence"])):
        stories.setdefault(event["subject"], []).append((event["type"], event["id"]))
    return stories


def test_s1_17_a_crm_told_by_signed_webhooks_keeps_the_same_story_whatever_it_hears_twice(house: Service):
    desk, began = office_of(house), house.clock.now - timedelta(hours=2)
    with receiver() as crm, desk.telling(crm) as hook:
        crm.answer = in_turn(status(204), status(503), status(204))
        disc = heard(house, "told on", cd(house, "told on", began))
        desk.deliver()
        house.clock.forward(seconds=5)
        desk.deliver()
        once = house.get(f"/v1/events?after={crm.positions[0] - 1}")["data"]
        assert [one.id for one in crm.told if one is not crm.told[2]] == [one["id"] for one in once]

        hook.resend(after=crm.positions[0])
        desk.deliver()
        assert len(crm.told) > 2 * len(once) - 1
        assert b"song" not in b"".join(one.body for one in crm.told)
        story = {disc.customer_id: [(one["type"], one["id"]) for one in once]}
        assert kept(house, hook.secret, crm.told) == story
        assert kept(house, hook.secret, crm.told[::-1]) == story
