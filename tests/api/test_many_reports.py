"""Many reports of poor treatment: however many there are, whom they name is asked of the ledger at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from domain.dignity import NAME
from domain.kinds import EVENTS
from tests.support.http import Service, service

HIM = {"colleague_id": "m.vance", "role": "barista"}
ANOTHER = {"colleague_id": "j.okafor", "role": "barista"}


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Service]:
    """A service of the test's own, on each database."""
    with service(database, tmp_path) as made:
        yield made


@pytest.fixture
def quick(sqlite_database: str, tmp_path: Path) -> Iterator[Service]:
    """The same on one database."""
    with service(sqlite_database, tmp_path) as made:
        yield made


def reported(amends: Service, number: str, *named: str | None) -> str:
    """The address of a customer who was treated poorly so many times, by these or by nobody knows whom."""
    address = f"/v1/customers/{amends.customer(number)}"
    for one in named:
        amends.post(f"{address}/report-treatment", {"treatment": "rude"} | ({} if one is None else {NAME: one}))
    return address


@contextmanager
def sent(engine: Engine) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    statements: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def test_who_answers_is_not_asked_for_one_report_after_the_other(quick: Service):
    taken = []
    for number, reports in (("few", 2), ("many", 40)):
        address = reported(quick, number, *[None] * reports)
        with sent(quick.container.working) as statements:
            quick.post(f"{address}/answer-treatment", {"note": "It was me.", "by": HIM})
        taken.append(len(statements))
    assert taken[1] <= taken[0]


def test_whom_each_report_names_is_known_though_they_are_read_together(amends: Service):
    address = reported(amends, "C-1", None, "j.okafor", None, "m.vance", "j.okafor", None)
    answer = {"note": "I was alone.", "by": HIM}
    amends.post(f"{address}/answer-treatment", answer)
    [told] = amends.get("/v1/colleagues/m.vance/feedback")["data"]
    assert [one["words"] for one in told["answers"]] == ["I was alone."]
    # What names another is not his to answer; where nobody is named, anybody may.
    named = reported(amends, "C-2", "j.okafor", "j.okafor")
    refusal = amends.post(f"{named}/answer-treatment", answer, status=403)
    assert refusal["type"].endswith("/not_named")
    amends.post(f"{reported(amends, 'C-3', None, None)}/answer-treatment", answer)


def test_in_one_case_of_many_reports_whoever_one_of_them_names_does_not_decide(amends: Service):
    address = f"/v1/customers/{amends.customer('C-1')}"
    amends.post(f"{address}/report-failure", {"what": "late", "description": "An hour."})
    for one in (None, None, "m.vance", None):
        amends.post(f"{address}/report-treatment", {"treatment": "rude"} | ({} if one is None else {NAME: one}))
    grant = {"kind": "free_item", "cost": {"amount": "2.50", "currency": "EUR"}}
    refusal = amends.post(f"{address}/grant-compensation", grant | {"by": HIM}, status=403)
    assert refusal["type"].endswith("/own_case")
    amends.post(f"{address}/grant-compensation", grant | {"by": ANOTHER})


def test_feedback_after_a_report_tells_those_behind_it_with_what_was_said_to_them(amends: Service):
    reported(amends, "C-1", "m.vance", "j.okafor", "m.vance")
    second = reported(amends, "C-2", "m.vance")
    amends.post(f"{second}/answer-treatment", {"note": "I was alone.", "by": HIM})
    everything = amends.get("/v1/colleagues/m.vance/feedback")["data"]
    assert [len(one["answers"]) for one in everything] == [0, 0, 1]
    for n, one in enumerate(everything, start=1):
        told = amends.get(f"/v1/colleagues/m.vance/feedback?after={one['position']}")
        assert (told["data"], told["next"]) == (everything[n:], None)


def test_one_field_alone_names_a_colleague_whom_an_event_is_about():
    sealed = {kind.TOPIC: kind.COLLEAGUE for kind in EVENTS.values() if kind.COLLEAGUE}
    assert sealed
    assert {topic: NAME in names for topic, names in sealed.items()} == dict.fromkeys(sealed, True)
