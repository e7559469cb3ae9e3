"""Clocks: what runs, what stopped it, and who spoke first, folded event by event."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given

from domain.clocks import DeadlineMissed
from domain.kinds import Fact
from domain.moves.apology import Apologise
from domain.moves.compensation import GrantCompensation
from domain.moves.contact import UpdateCustomer
from domain.moves.handling import Acknowledge
from domain.moves.outcome import Close, Reopen
from domain.moves.remedy import DeliverRemedy, PromiseRemedy
from domain.moves.source_deadline import RecordSourceDeadline
from domain.moves.waiver import WaiveStep
from domain.relationship import Relationship, evolve
from domain.relationship import fold as folded
from projections.base import Row, fold
from projections.clocks import MARKS, Clocks, steps_done
from tests.support.given import START, Story, named_id
from tests.support.histories import histories
from tests.support.soak import examples
from tests.support.stories import only, reported, resolved


def rows(table: str, facts: Iterable[Fact]) -> list[Row]:
    return [row for key, row in fold(Clocks(), facts).items() if key[0] == table]


def stopped(tale: Story, step: str) -> Any:
    """The only stopped clock of this step."""
    [row] = [row for row in rows("clocks_stopped", tale.facts) if row["step"] == step]
    return row


def running(tale: Story) -> set[str]:
    return {row["step"] for row in rows("clocks_running", tale.facts)}


@examples(60, many=3_000)
@given(histories())
def test_the_clocks_that_run_are_those_of_the_relationship_itself(facts: list[Fact]):
    ours = {
        (row["recovery_id"], row["step"]): row["due_at"]
        for row in rows("clocks_running", facts)
        if row["missed_at"] is None
    }
    state = folded(facts, Relationship(facts[0].stream_id))
    theirs = {
        (one.recovery_id, step): deadline.due_at
        for one in state.recoveries.values()
        for step, deadline in one.deadlines.items()
    }
    # A compensation that is expected no more stops without a word: the report looks at the recovery for it.
    looked_at_anew = {fact.event.recovery_id for fact in facts if fact.event.TOPIC == "failure.reassessed"}  # type: ignore[attr-defined]
    without_a_word = {(one, "compensation") for one in looked_at_anew}
    assert {key: due for key, due in ours.items() if key in theirs or key not in without_a_word} == theirs


@examples(60, many=3_000)
@given(histories())
def test_no_kind_of_event_stops_a_clock_unnoticed(facts: list[Fact]):
    state = Relationship(facts[0].stream_id)
    for fact in facts:
        after = evolve(state, fact)
        for recovery_id, one in after.recoveries.items():
            before = state.recoveries.get(recovery_id)
            if before is not None and before.deadlines != one.deadlines:
                assert fact.event.TOPIC in MARKS | {"failure.reassessed"}
        state = after


def test_a_step_done_in_time_stops_its_clock_with_the_time_it_took():
    tale = reported(severity=3).when(Apologise(said="admits"), at=60)
    row = stopped(tale, "acknowledge")
    # 120 minutes were allowed at severity 3.
    assert (row["done"], row["minutes"], row["percent"], row["missed_at"]) == (True, 60, 50, None)
    assert running(tale) == {"first_action", "remedy", "compensation"}


def test_a_step_done_after_its_time_keeps_the_miss_and_the_time_it_took():
    tale = reported(severity=3)
    due = only(tale).deadlines["acknowledge"].due_at
    missed = DeadlineMissed(recovery_id=named_id("plums"), step="acknowledge", due_at=due)
    tale = tale.given(missed, at=120).when(Acknowledge(), at=300)
    row = stopped(tale, "acknowledge")
    assert (row["done"], row["minutes"], row["percent"]) == (True, 300, 250)
    assert row["missed_at"] == due


def test_news_told_late_takes_no_negative_time():
    tale = reported(severity=3).when(Acknowledge(), at=-30, recorded_at=5)
    assert (stopped(tale, "acknowledge")["minutes"], stopped(tale, "acknowledge")["percent"]) == (0, 0)


def test_an_automatic_answer_stops_nothing():
    tale = reported(severity=3).when(Acknowledge(human=False), at=1)
    assert "acknowledge" in running(tale)


def test_a_delivery_that_resolves_nothing_is_an_action_and_no_remedy():
    tale = reported(severity=3).when(DeliverRemedy(remedy_kind="repair", resolves="none"), at=10)
    assert stopped(tale, "first_action")["done"]
    assert "remedy" in running(tale)


def test_a_promise_alone_is_no_action():
    assert "first_action" in running(reported(severity=3).when(PromiseRemedy(remedy_kind="repair"), at=10))


def test_a_compensation_handed_over_stops_its_clock():
    tale = reported(severity=3).when(GrantCompensation(kind="voucher", delivered=True), at=10)
    assert stopped(tale, "compensation")["done"]


def test_a_step_waived_is_not_due_and_not_done():
    tale = reported(severity=3).when(WaiveStep(step="compensation", reason="customer_request"), at=10)
    assert not stopped(tale, "compensation")["done"]


def test_what_is_opened_again_begins_its_clocks_anew():
    tale = resolved(severity=3).when(Reopen(cause="recurrence"), at=20)
    assert running(tale) == {"acknowledge", "first_action", "remedy", "compensation"}
    assert len([row for row in rows("clocks_stopped", tale.facts) if row["step"] == "acknowledge"]) == 1
    assert not stopped(tale, "follow_up")["done"]


def test_closing_stops_every_clock():
    assert running(reported(severity=3).when(Close(outcome="withdrawn"), at=20)) == set()


def test_an_update_that_was_promised_anew_keeps_the_old_promise():
    tale = reported(severity=3)
    for at in (10, 20):
        tale.when(UpdateCustomer(kind="progress", next_update_due=START.replace(day=9)), at=at)
    assert stopped(tale, "update")["done"]
    assert "update" in running(tale)


def test_another_systems_miss_needs_no_promised_time():
    tale = reported(history=True)
    tale.when(RecordSourceDeadline(step="remedy", standard="source", missed=True), at=9, importing=True)
    [row] = rows("clocks_running", tale.facts)
    assert (row["step"], row["from_source"], row["due_at"]) == ("remedy", True, None)
    assert row["missed_at"] is not None


def test_only_what_we_notice_ourselves_can_be_told_first():
    [row] = rows("tellings", reported(detection="system_detected").facts)
    assert (row["detection"], row["told_at"], row["asked_at"]) == ("system_detected", None, None)
    assert rows("tellings", reported().facts) == []


@pytest.mark.parametrize("command", [Acknowledge(), Apologise(said="regret")])
def test_a_human_word_tells_the_customer_too(command: Any):
    [row] = rows("tellings", reported(detection="colleague_noticed").when(command, at=3).facts)
    assert row["told_at"] is not None


def test_a_kind_of_event_that_it_does_not_know_does_no_step():
    event = reported().facts[0].event
    assert steps_done(event, found_by_us=True) == ()
