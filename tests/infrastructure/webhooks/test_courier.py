"""Telling other systems in order, at least once, and again when they did not take it."""

from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import pytest
import structlog
from standardwebhooks import Webhook

from infrastructure.webhooks.messages import Message
from infrastructure.webhooks.schedule import RESTS
from tests.support.exposition import told_by
from tests.support.receivers import Delivered, Receiver, in_turn, status
from tests.support.webhooks import Hook, Office


def when(told: str | None) -> datetime:
    assert told is not None
    return datetime.fromisoformat(told)


def test_what_is_recorded_is_told_in_the_order_of_the_ledger_and_nothing_from_before(
    desk: Office, crm: Receiver, hook: Hook
):
    positions = desk.happen("in order", 3)
    desk.deliver()
    assert crm.positions == positions
    assert hook.now()["behind"] == 0
    desk.deliver()
    assert crm.positions == positions


def test_the_message_is_signed_and_says_only_what_it_is_and_where_it_stands(
    desk: Office, crm: Receiver, hook: Hook
):
    positions = desk.happen("thin: maria@mail.example")
    desk.deliver()
    fact = desk.house.container.ledger.facts(positions[-1] - 1, 1)[0]
    told = crm.told[-1]
    assert told.id == str(fact.event_id)
    assert told.json == {
        "type": fact.event.TYPE,
        "timestamp": fact.occurred_at.isoformat().replace("+00:00", "Z"),
        "data": {
            "id": str(fact.event_id),
            "ledger": "main",
            "position": fact.position,
            "subject": str(fact.stream_id),
            "version": fact.version,
            "recorded_at": fact.recorded_at.isoformat().replace("+00:00", "Z"),
            "read": f"http://127.0.0.1:8080/v1/events?after={fact.position - 1}&limit=1",
        },
    }
    assert told.headers["content-type"] == "application/json"
    assert told.headers["webhook-timestamp"] == str(int(desk.house.clock.now.timestamp()))
    signed = Webhook(hook.secret).sign(told.id, desk.house.clock.now, told.body.decode())
    assert told.headers["webhook-signature"] == signed


def test_what_is_about_a_colleague_is_told_to_nobody(desk: Office, crm: Receiver, hook: Hook):
    before = desk.house.container.ledger.head()
    desk.house.post("/v1/colleagues/m-7/join", {"role": "mechanic", "role_class": "back", "team": "garage"})
    assert desk.house.container.ledger.head() > before
    desk.deliver()
    assert crm.told == []
    assert hook.now()["behind"] == 0


def test_only_the_types_that_were_asked_for_are_told(desk: Office, crm: Receiver):
    with desk.telling(crm, types=["amends.failure.reported.v1"]) as hook:
        desk.happen("only failures", 2)
        desk.deliver()
        assert [one.json["type"] for one in crm.told] == ["amends.failure.reported.v1"] * 2
        assert hook.now()["behind"] == 0


def test_a_webhook_may_begin_in_the_past(desk: Office, crm: Receiver):
    positions = desk.happen("from the past", 2)
    with desk.telling(crm, after=positions[0]):
        desk.deliver()
    assert crm.positions == positions[1:]


def test_what_is_not_taken_is_tried_again_later_and_later_and_what_follows_waits(
    desk: Office, crm: Receiver, hook: Hook
):
    crm.answer = in_turn(status(503), status(500), status(204))
    positions = desk.happen("again", 1)
    desk.deliver()
    failing = hook.now()
    assert (failing["failures"], failing["last_failure"]) == (1, {"reason": "status", "status": 503})
    assert when(failing["next_attempt_at"]) == desk.house.clock.now + timedelta(seconds=5)
    desk.deliver()
    assert crm.positions == positions[:1]
    desk.house.clock.forward(seconds=5)
    desk.deliver()
    assert when(hook.now()["next_attempt_at"]) == desk.house.clock.now + timedelta(minutes=5)
    desk.house.clock.forward(minutes=5)
    desk.deliver()
    assert crm.positions == [positions[0], positions[0], *positions]
    assert len({one.id for one in crm.told[:3]}) == 1
    assert crm.told[0].body == crm.told[2].body
    well = hook.now()
    assert (well["failures"], well["failing_since"], well["last_failure"]) == (0, None, None)


@pytest.mark.parametrize(("code", "heeded"), [(429, True), (503, True), (500, False), (404, False)])
def test_a_receiver_that_has_too_much_to_do_is_left_alone_for_as_long_as_he_asks(
    desk: Office, crm: Receiver, hook: Hook, code: int, heeded: bool
):
    crm.answer = in_turn(status(code, Retry_After="3600"), status(204))
    positions = desk.happen(f"asked to wait {code}", 0)
    desk.deliver()
    failing = hook.now()
    assert (failing["failures"], failing["last_failure"]["status"]) == (1, code)
    wait = timedelta(hours=1) if heeded else timedelta(seconds=5)
    assert when(failing["next_attempt_at"]) == desk.house.clock.now + wait
    desk.house.clock.forward(seconds=wait.total_seconds() - 1)
    desk.deliver()
    assert crm.positions == positions
    desk.house.clock.forward(seconds=1)
    desk.deliver()
    assert crm.positions == positions * 2


def test_a_date_to_wait_for_is_read_by_the_time_of_the_machine_even_while_the_house_doubts_it(
    desk: Office, crm: Receiver, hook: Hook
):
    machine = desk.house.clock.now + timedelta(hours=1)
    desk.house.clock.forward(seconds=10)
    crm.answer = status(503, Retry_After=format_datetime(machine + timedelta(minutes=20), usegmt=True))
    courier = desk.another(sent_at=lambda: machine)
    desk.happen("until when", 0)
    courier.run_once()
    assert when(hook.now()["next_attempt_at"]) == desk.house.clock.now + timedelta(minutes=20)
    courier.stop()


def test_what_nobody_takes_for_three_days_is_a_dead_letter_and_the_next_event_has_its_turn(
    desk: Office, crm: Receiver, hook: Hook
):
    poison, *rest = desk.happen("given up", 1)
    given_up = told_by(desk.house.container.metrics.registry).each("amends_webhook_deliveries_total", "result")
    crm.answer = lambda told, handler: status(204 if told.position != poison else 422)(told, handler)
    desk.deliver()
    for wait in RESTS:
        assert crm.positions == [poison] * len(crm.told)
        desk.house.clock.forward(seconds=wait.total_seconds())
        desk.deliver()
    assert crm.positions == [poison] * 10 + rest
    [letter] = hook.dead_letters()
    assert (letter["position"], letter["reason"], letter["status"]) == (poison, "status", 422)
    assert letter["attempts"] == 10
    assert hook.now()["dead_letters"] == 1
    figures = told_by(desk.house.container.metrics.registry)
    assert figures.value("amends_webhook_dead_letters") == 1
    now = figures.each("amends_webhook_deliveries_total", "result")
    assert now["given_up"] == given_up.get("given_up", 0) + 1


def test_a_dead_letter_is_sent_again_when_somebody_asks_and_is_gone_once_it_is_taken(
    desk: Office, crm: Receiver, hook: Hook
):
    [position] = desk.happen("asked again", 0)
    crm.answer = status(500)
    for wait in (timedelta(), *RESTS):
        desk.house.clock.forward(seconds=wait.total_seconds())
        desk.deliver()
    hook.resend(position=position)
    assert hook.dead_letters()[0]["waiting"]
    desk.deliver()
    [letter] = hook.dead_letters()
    assert (letter["attempts"], letter["waiting"]) == (11, False)
    crm.answer = status(204)
    desk.deliver()
    assert len(crm.told) == 11
    hook.resend(position=position)
    desk.deliver()
    assert crm.positions == [position] * 12
    assert hook.dead_letters() == []


def test_everything_after_a_position_is_told_again_in_order_with_the_same_ids(
    desk: Office, crm: Receiver, hook: Hook
):
    positions = desk.happen("from there", 2)
    desk.deliver()
    first = [one.id for one in crm.told]
    hook.resend(after=positions[0])
    desk.deliver()
    assert crm.positions == positions + positions[1:]
    assert [one.id for one in crm.told] == first + first[1:]


def test_a_receiver_that_is_gone_is_told_nothing_more_until_somebody_says_so(
    desk: Office, crm: Receiver, hook: Hook
):
    crm.answer = status(410)
    positions = desk.happen("gone", 1)
    desk.deliver()
    gone = hook.now()
    assert (gone["state"], gone["last_failure"]) == ("gone", {"reason": "gone", "status": 410})
    desk.house.clock.forward(days=10)
    desk.deliver()
    assert crm.positions == positions[:1]
    crm.answer = status(204)
    hook.change(state="active")
    desk.deliver()
    assert crm.positions == [positions[0], *positions]


def test_a_paused_webhook_goes_on_where_it_stopped(desk: Office, crm: Receiver, hook: Hook):
    hook.change(state="paused")
    positions = desk.happen("paused", 1)
    desk.deliver()
    assert crm.told == []
    hook.change(state="active")
    desk.deliver()
    assert crm.positions == positions


def test_a_webhook_that_is_paused_while_it_is_told_something_is_told_nothing_more(
    desk: Office, crm: Receiver, hook: Hook
):
    def pauses(told: Delivered, handler: Any) -> None:
        hook.change(state="paused")
        status(204)(told, handler)

    crm.answer = in_turn(pauses, status(204))
    positions = desk.happen("paused meanwhile", 2)
    desk.deliver()
    desk.deliver()
    assert crm.positions == positions[:1]
    hook.change(state="active")
    desk.deliver()
    assert crm.positions == [positions[0], *positions]


def test_while_a_secret_is_rotated_both_sign_and_a_day_later_the_new_one_alone(
    desk: Office, crm: Receiver, hook: Hook
):
    rotated = desk.house.post(f"{hook.path}/rotate-secret", status=200)
    for hours, secrets in ((0, [rotated["secret"], hook.secret]), (24, [rotated["secret"]])):
        desk.house.clock.forward(hours=hours)
        desk.happen(f"rotated {hours}", 0)
        desk.deliver()
        told = crm.told[-1]
        expected = [Webhook(one).sign(told.id, desk.house.clock.now, told.body.decode()) for one in secrets]
        assert told.headers["webhook-signature"].split(" ") == expected


def test_messages_are_signed_with_the_time_of_the_machine_even_while_the_house_doubts_it(
    desk: Office, crm: Receiver, hook: Hook
):
    machine = desk.house.clock.now + timedelta(hours=1)
    desk.house.clock.forward(seconds=10)
    courier = desk.another(sent_at=lambda: machine)
    desk.happen("doubted", 0)
    courier.run_once()
    courier.ping(UUID(hook.webhook_id), Message("amends.webhook.test", b"{}"))
    assert [one.headers["webhook-timestamp"] for one in crm.told] == [str(int(machine.timestamp()))] * 2
    courier.stop()


def test_the_log_tells_why_and_never_where(desk: Office, crm: Receiver):
    crm.answer = status(500, b"words of the receiver")
    with desk.telling(f"{crm.url}/a-secret-in-the-path") as hook, structlog.testing.capture_logs() as lines:
        [position] = desk.happen("logged", 0)
        desk.deliver()
        crm.answer = status(410)
        desk.house.clock.forward(seconds=5)
        desk.deliver()
    said = [one for one in lines if one["event"].startswith("webhook_")]
    assert [(one["event"], one["reason"], one["status"]) for one in said] == [
        ("webhook_not_taken", "status", 500),
        ("webhook_gone", "gone", 410),
    ]
    assert {one["webhook"] for one in said} == {hook.webhook_id}
    assert {one["position"] for one in said} == {position}
    assert "127.0.0.1" not in str(lines)
    assert "secret" not in str(lines)
    assert "words" not in str(lines)
