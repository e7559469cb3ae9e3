"""Recoveries: where each one stands, and which needs somebody first."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from domain.clocks import DeadlineMissed, DeadlineSet
from domain.kinds import Fact
from domain.milestones import RelationshipOpened
from domain.moves.apology import Apologise
from domain.moves.failure import ReportFailure
from domain.moves.follow_up import CompleteFollowUp
from domain.moves.gesture import MakeGesture
from domain.moves.handling import Assign
from domain.moves.hearing import HearConcern
from domain.moves.outcome import Close, RecoveryClosed, Resolve
from domain.moves.relationship import PersonalDataErased
from domain.moves.remedy import DeliverRemedy
from domain.moves.treatment import ReportTreatment
from domain.moves.voice import AnnounceLeaving, StateSatisfaction
from domain.moves.waiver import WaiveStep
from projections import recoveries
from projections.recoveries import RecoveryView, StepView
from tests.support.given import CUSTOMER, START, Story, named_id, story
from tests.support.ledgers import Book, book

PLUMS = named_id("plums")


@pytest.fixture
def shelf(module_database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Book]:
    """An empty ledger of the test's own."""
    with book(module_database, tmp_path, f"t{abs(hash(request.node.name))}") as one:
        yield one


def minute(after: float) -> datetime:
    return START + timedelta(minutes=after)


def kept(shelf: Book, *tales: Story) -> None:
    """These stories, each of a customer of his own, are in the ledger and folded."""
    for n, tale in enumerate(tales):
        shelf.record([_of(fact, n) for fact in tale.facts])
    shelf.projector().catch_up()


def _of(fact: Fact, n: int) -> Fact:
    return replace(fact, stream_id=customer(n), event_id=named_id(f"{n} {fact.event_id}"))


def customer(n: int) -> UUID:
    return CUSTOMER if n == 0 else named_id(f"customer {n}")


def told(shelf: Book, tale: Story, at: float = 0) -> RecoveryView:
    """The only recovery of this story, as of a minute."""
    kept(shelf, tale)
    with shelf.source() as source:
        (one,) = recoveries.of_customer(source, CUSTOMER, minute(at))
    assert recoveries.of_facts(CUSTOMER, tale.facts, minute(at)) == [one]
    return one


def failed(name: str = "plums", **fields: object) -> Story:
    """Something went wrong at START."""
    given = {"what": "late", "description": "late", "recovery_id": named_id(name), "severity": 3, **fields}
    return story().when(ReportFailure.model_validate(given))


def told_later(name: str, recorded_at: float = 14_400, **fields: object) -> Story:
    """Something went wrong at START, and the ledger hears of it only later: ten days, unless said otherwise."""
    given = {"what": "late", "description": "late", "recovery_id": named_id(name), **fields}
    return story().when(ReportFailure.model_validate(given), recorded_at=recorded_at)


def put_right(tale: Story) -> Story:
    """Apologised, delivered and resolved within the hour."""
    done = tale.when(Apologise(said="admits"), at=10).when(DeliverRemedy(remedy_kind="expedite"), at=20)
    return done.when(Resolve(), at=30)


def queued(shelf: Book, at: float = 0, **asked: object) -> list[UUID]:
    """The recoveries in the queue as of a minute, in order."""
    with shelf.source() as source:
        page = recoveries.queue(source, as_of=minute(at), **asked)  # type: ignore[arg-type]
    return [one.recovery_id for one in page.data]


def test_s4_15_the_checklist_is_told_in_the_order_of_the_five_steps(shelf: Book):
    steps = told(shelf, put_right(failed()), at=30).checklist
    assert list(steps) == ["apology", "action", "compassion", "compensation", "follow_up"]
    assert list(steps["apology"].stages or ()) == ["acknowledgement", "resolution", "follow_up"]


def test_a_reported_failure_shows_what_is_due(shelf: Book):
    one = told(shelf, failed())
    assert (one.phase, one.severity, one.customer_id, one.opened_at) == ("reported", 3, CUSTOMER, START)
    assert one.deadlines["acknowledge"] == minute(120)
    assert one.next_due_at == minute(120)
    assert {name: step.status for name, step in one.checklist.items()} == {
        "apology": "due",
        "action": "due",
        "compassion": "due",
        "compensation": "due",
        "follow_up": "not_due",
    }


def test_steps_done_say_when_and_by_whom(shelf: Book):
    one = told(shelf, put_right(failed()).when(HearConcern(compassion="time_given"), at=31))
    stages = one.checklist["apology"].stages or {}
    assert one.checklist["apology"].status == "done"
    assert (stages["acknowledgement"].at, stages["follow_up"].status) == (minute(10), "due")
    assert one.checklist["action"] == StepView(status="done", at=minute(20), by="front")
    assert one.checklist["compassion"].by == "front"
    assert one.checklist["follow_up"] == StepView(status="due")
    assert (one.phase, one.how_code) == ("resolved", "expedite")


def test_a_waived_step_says_why(shelf: Book):
    waived = failed().when(WaiveStep(step="compensation", reason="customer_request"), at=5)
    assert told(shelf, waived).checklist["compensation"] == StepView(status="waived", reason="customer_request")


def test_what_ran_out_by_the_time_of_reading_is_overdue(shelf: Book):
    one = told(shelf, failed(), at=119)
    assert (one.overdue, one.risk) == (0, 30)
    with shelf.source() as source:
        (later,) = recoveries.of_customer(source, CUSTOMER, minute(240))
    assert (later.overdue, later.risk) == (2, 60)


def test_a_recorded_miss_is_overdue_until_the_step_is_done(shelf: Book):
    missed = failed().given(DeadlineMissed(recovery_id=PLUMS, step="acknowledge"), at=121)
    one = told(shelf, missed, at=121)
    assert (one.overdue, one.missed) == (1, ["acknowledge"])
    done = recoveries.of_facts(CUSTOMER, missed.when(Apologise(said="regret"), at=130).facts, minute(130))[0]
    assert (done.overdue, done.missed) == (0, ["acknowledge"])


def test_what_was_told_after_its_time_raises_no_alarm_and_is_overdue_all_the_same(shelf: Book):
    ten_days, tale = 14_400, told_later("plums", severity=4)
    one = told(shelf, tale, at=ten_days)
    assert (one.overdue, one.risk, one.next_due_at) == (4, 100, one.deadlines["acknowledge"])
    assert queued(shelf, at=ten_days, overdue=True) == [PLUMS]
    with shelf.source() as source:
        assert recoveries.due_streams(source, minute(ten_days)) == []
    answered = tale.when(Apologise(said="regret"), at=ten_days)
    (done,) = recoveries.of_facts(CUSTOMER, answered.facts, minute(ten_days))
    assert ("acknowledge" in done.deadlines, done.overdue) == (False, 3)


def test_of_what_was_told_late_only_what_has_run_out_is_overdue(shelf: Book):
    one = told(shelf, told_later("plums", recorded_at=60, severity=4), at=60)
    assert (one.overdue, one.next_due_at) == (1, one.deadlines["acknowledge"])


def test_the_deadline_of_another_system_is_never_overdue_here(shelf: Book):
    theirs = DeadlineSet(recovery_id=PLUMS, step="remedy", due_at=minute(5), standard="us_cfpb", fires=False)
    imported = story().when(_dated("plums"), importing=True).given(theirs, at=1)
    one = told(shelf, imported, at=99)
    assert (one.deadlines, one.overdue, one.next_due_at) == ({"remedy": minute(5)}, 0, None)


def test_flags_and_what_they_add_to_the_risk(shelf: Book):
    tale = put_right(failed(witnessed="public")).when(AnnounceLeaving(), at=40)
    tale = tale.when(ReportTreatment(treatment="last_word"), at=50)
    one = told(shelf, tale, at=50)
    assert one.flags == ["escalated", "failed_again", "leaving", "public"]
    assert one.risk == 30 + 20 + 25 + 15 + 10


def test_the_queue_goes_by_risk_then_by_what_is_due_first(shelf: Book):
    kept(shelf, failed("mild", severity=2), failed("grave", severity=5), failed("late"), failed("later"))
    kept(shelf)
    assert queued(shelf)[0] == named_id("grave")
    assert queued(shelf)[-1] == named_id("mild")
    assert set(queued(shelf)[1:3]) == {named_id("late"), named_id("later")}
    # Two days on the mild one is overdue in two steps more than nothing; all are, the order by weight remains.
    assert queued(shelf, at=10_000)[0] == named_id("grave")


def test_of_equals_in_the_queue_the_older_comes_first_from_page_to_page(shelf: Book):
    # Nothing is due for any of them: as in history that was imported.
    tales = [story().when(_dated(f"f{n}"), at=-n, importing=True) for n in range(5)]
    kept(shelf, *tales)
    oldest_first = [named_id(f"f{n}") for n in reversed(range(5))]
    assert queued(shelf) == oldest_first
    with shelf.source() as source:
        first = recoveries.queue(source, as_of=START, limit=2)
        rest = recoveries.queue(source, as_of=START, after=first.next)
    assert [one.recovery_id for one in first.data + rest.data] == oldest_first


def _dated(name: str) -> ReportFailure:
    return ReportFailure(what="late", description="late", recovery_id=named_id(name), severity=3)


def test_the_status_is_that_of_the_last_failure_from_memory_and_from_the_database(shelf: Book):
    # Stored, the recoveries come back in the order of their ids: the last reported one first.
    last, first = sorted((named_id("a"), named_id("b")))
    tale = story().when(ReportFailure(what="late", description="late", recovery_id=first), at=0)
    tale = tale.given(RecoveryClosed(recovery_id=first, outcome="dissatisfied"), at=1)
    tale = tale.when(ReportFailure(what="late", description="late", recovery_id=last), at=2)
    tale = tale.given(RecoveryClosed(recovery_id=last, outcome="satisfied"), at=3)
    kept(shelf, tale)
    assert _status(shelf) == "recovered"
    shelf.record(_told_on(tale))
    shelf.projector().catch_up()
    assert _status(shelf) == "recovered"


def _told_on(tale: Story) -> list[Fact]:
    """One more fact of this story, that fails and mends nothing."""
    return tale.when(MakeGesture(kind="surprise"), at=4).facts[-1:]


def _status(shelf: Book) -> str:
    (row,) = shelf.rows(recoveries.Recoveries())["recovery_streams"]
    return str(row["status"])


def test_closed_recoveries_are_not_in_the_queue(shelf: Book):
    kept(shelf, failed().when(Close(outcome="withdrawn"), at=3))
    assert queued(shelf) == []


def test_nobody_is_asked_to_work_for_who_was_erased(shelf: Book):
    kept(shelf, failed().given(PersonalDataErased(request="r-1"), at=3))
    assert queued(shelf) == []


def test_the_queue_is_asked_by_team_and_by_what_is_overdue(shelf: Book):
    kept(shelf, failed("ours").when(Assign(team="bakery"), at=1), failed("theirs").when(Assign(team="bar"), at=1))
    assert queued(shelf, team="bakery") == [named_id("ours")]
    assert queued(shelf, overdue=True) == []
    assert set(queued(shelf, overdue=False)) == {named_id("ours"), named_id("theirs")}
    assert len(queued(shelf, at=130, overdue=True)) == 2


def test_the_queue_is_asked_by_owner(shelf: Book):
    kept(shelf, failed("ours").when(Assign(owner="maria"), at=1), failed("theirs"))
    assert queued(shelf, owner=named_id("colleague:maria")) == [named_id("ours")]


def test_pages_of_the_queue_follow_each_other_without_gap_or_repetition(shelf: Book):
    kept(shelf, *(failed(f"f{n}", severity=n % 3 + 1) for n in range(7)))
    with shelf.source() as source:
        seen, after = [], None
        while True:
            page = recoveries.queue(source, as_of=START, after=after, limit=2)
            seen += [one.recovery_id for one in page.data]
            after = page.next
            if after is None:
                break
    assert len(seen) == 7
    assert seen == queued(shelf)


def test_a_made_up_cursor_is_refused(shelf: Book):
    with shelf.source() as source, pytest.raises(ValueError, match="unpack"):
        recoveries.queue(source, as_of=START, after="nonsense")


def test_the_sweeper_finds_the_streams_that_are_due_the_longest_overdue_first(shelf: Book):
    kept(shelf, failed("slow", severity=2), failed("quick", severity=4), story().given(RelationshipOpened()))
    with shelf.source() as source:
        assert recoveries.due_streams(source, minute(29)) == []
        assert recoveries.due_streams(source, minute(30)) == [customer(1)]
        assert recoveries.due_streams(source, minute(240)) == [customer(1), customer(0)]
        assert recoveries.due_streams(source, minute(240), limit=1) == [customer(1)]


def test_recoveries_are_counted_by_how_they_were_resolved_and_what_was_said(shelf: Book):
    disputed = put_right(failed("a")).when(
        StateSatisfaction(instrument="OUTCOME", value=0, about="recovery"), at=60
    )
    content = put_right(failed("b")).when(CompleteFollowUp(outcome="no_objection"), at=60)
    promised = {"step": "response", "due_at": minute(99), "standard": "us_cfpb", "fires": False}
    tardy = failed("c").given(
        DeadlineSet(recovery_id=named_id("c"), **promised),
        DeadlineMissed(recovery_id=named_id("c"), step="response"),
    )
    timely = failed("d").given(DeadlineSet(recovery_id=named_id("d"), **promised))
    kept(shelf, disputed, content, tardy, timely)
    with shelf.source() as source:
        assert recoveries.tally(source, "how_code", "first_value", "follow_up") == [
            {"how_code": None, "first_value": None, "follow_up": None, "n": 2},
            {"how_code": "expedite", "first_value": None, "follow_up": "no_objection", "n": 1},
            {"how_code": "expedite", "first_value": 0, "follow_up": None, "n": 1},
        ]
        assert recoveries.tally(source, "response") == [
            {"response": None, "n": 2},
            {"response": "kept", "n": 1},
            {"response": "missed", "n": 1},
        ]
        assert recoveries.tally(source, "reopened") == [
            {"reopened": False, "n": 3},
            {"reopened": True, "n": 1},
        ]
        assert recoveries.tally(source) == [{"n": 4}]
