"""Four customers on a simulated clock: unanswered, unreachable, mistaken, nameless."""

from domain.moves.apology import Apologise
from domain.moves.cause import AttributeCause
from domain.moves.compensation import GrantCompensation
from domain.moves.failure import ReportFailure
from domain.moves.follow_up import AttemptFollowUp
from domain.moves.hearing import HearConcern
from domain.moves.outcome import Close, RecoveryClosed, Resolve
from domain.moves.remedy import DeliverRemedy, RefuseRequest
from domain.moves.waiver import WaiveStep
from tests.support.clockwork import DAY, HOUR, Clockwork
from tests.support.given import refused

KNOWN = (("crm", "C-1001"),)


def test_a_customer_nobody_answers():
    clock = Clockwork().told(
        ReportFailure(what="late", description="It should have come on Tuesday.", severity=3),
        at=0,
        references=KNOWN,
    )
    clock.sweep(40 * DAY, every=HOUR)
    assert clock.log("deadline.missed", "silence.noticed") == [
        (2 * HOUR, "deadline.missed acknowledge"),
        (4 * HOUR, "deadline.missed first_action"),
        (2 * DAY, "silence.noticed"),
        (3 * DAY, "deadline.missed remedy"),
        (4 * DAY, "silence.noticed"),
        (5 * DAY, "deadline.missed compensation"),
        (6 * DAY, "silence.noticed"),
        (8 * DAY, "silence.noticed"),
        (10 * DAY, "silence.noticed"),
        (12 * DAY, "silence.noticed"),
        (14 * DAY, "silence.noticed"),
    ]
    assert clock.recovery.phase == "reported"
    assert clock.due is None


def test_a_customer_who_never_answers():
    clock = Clockwork().told(
        ReportFailure(what="wrong_or_broken", description="The kettle leaks.", severity=3), at=0, references=KNOWN
    )
    clock.told(Apologise(said="admits"), at=20)
    clock.told(DeliverRemedy(remedy_kind="replacement", resolves="full", how="sent"), at=HOUR)
    clock.told(GrantCompensation(kind="voucher", delivered=True), at=HOUR)
    clock.told(Resolve(), at=HOUR + 5)
    clock.told(AttemptFollowUp(outcome="no_answer"), at=2 * DAY)
    clock.told(AttemptFollowUp(outcome="no_answer"), at=2 * DAY + 20)
    with refused("follow_up_missing", outcome="unreachable"):
        clock.told(Close(outcome="unreachable"), at=2 * DAY + HOUR)
    clock.told(AttemptFollowUp(outcome="no_answer"), at=3 * DAY)
    clock.told(AttributeCause(cause_class="supplier"), at=3 * DAY)
    clock.told(Close(outcome="unreachable"), at=3 * DAY + 5)
    clock.sweep(40 * DAY)
    assert clock.log("deadline.missed", "silence.noticed") == []
    assert clock.recovery.outcome == "unreachable"


def test_a_customer_whom_nobody_asks_afterwards_has_his_follow_up_missed():
    clock = Clockwork().told(
        ReportFailure(what="wrong_or_broken", description="The kettle leaks.", severity=3), at=0, references=KNOWN
    )
    clock.told(Apologise(said="admits"), at=20)
    clock.told(DeliverRemedy(remedy_kind="replacement", resolves="full"), at=HOUR)
    clock.told(Resolve(), at=HOUR)
    clock.sweep(40 * DAY)
    assert (3 * DAY + HOUR, "deadline.missed follow_up") in clock.log()


def test_a_customer_who_is_wrong_is_wrong_with_dignity():
    clock = Clockwork().told(
        ReportFailure(what="billed_wrong", description="He missed the closing date.", fault="customer"),
        at=0,
        references=KNOWN,
    )
    with refused("no_alternative"):
        clock.told(RefuseRequest(reason="facts_differ"), at=10)
    with refused("nothing_done", missing=["remedy", "apology"]):
        clock.told(Resolve(), at=10)
    clock.told(HearConcern(compassion="named_feeling", confirmed=True), at=12)
    clock.told(Apologise(said="regret", feeling_named=True), at=13)
    clock.told(RefuseRequest(reason="facts_differ", alternative="A credit for the next season."), at=15)
    clock.told(Resolve(), at=16)
    assert set(clock.recovery.done) >= {"acknowledge", "apology", "compassion", "remedy"}
    clock.sweep(40 * DAY)
    assert clock.log("deadline.missed", "silence.noticed") == []
    assert clock.log("recovery.closed") == [(7 * DAY + 16, "recovery.closed")]


def test_an_anonymous_complaint():
    clock = Clockwork().told(ReportFailure(what="badly_done", description="The lavatory was dirty."), at=0)
    assert not clock.story.state.contactable
    clock.told(DeliverRemedy(remedy_kind="reperform", resolves="full"), at=3 * DAY)
    clock.told(WaiveStep(step="apology", reason="no_contact_given"), at=3 * DAY)
    clock.told(WaiveStep(step="follow_up", reason="no_contact_given"), at=3 * DAY)
    clock.told(Resolve(), at=3 * DAY)
    assert clock.sweep(40 * DAY) == [RecoveryClosed(recovery_id=clock.recovery.recovery_id, outcome="not_asked")]
    assert clock.log("deadline.missed", "silence.noticed") == [
        (4 * HOUR, "deadline.missed acknowledge"),
        (8 * HOUR, "deadline.missed first_action"),
    ]
