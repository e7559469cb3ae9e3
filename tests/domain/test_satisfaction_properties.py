"""What holds of the satisfaction score whatever happens (satisfaction.md section 6)."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from domain.clocks import DeadlineMissed, SilenceNoticed
from domain.kinds import Fact
from domain.milestones import SatisfactionStated
from domain.moves.apology import ApologyMade
from domain.moves.compensation import CompensationDelivered
from domain.moves.contact import CustomerContactedAgain
from domain.moves.failure import FailureReassessed, FailureReported
from domain.moves.gesture import GestureMade
from domain.moves.handling import RecoveryHandedOff
from domain.moves.relationship import EncounterCompleted
from domain.moves.remedy import RemedyDelivered, RemedyPromised
from domain.moves.treatment import TreatmentReported
from domain.satisfaction import START, Score, Term, justice, recovery_satisfaction, step
from tests.support.histories import histories
from tests.support.soak import examples

SCORE = TypeAdapter(Score)
Better = Callable[[Fact], Fact | None]


def folded(facts: Iterable[Fact], score: Score = START) -> tuple[Score, list[Term]]:
    terms: list[Term] = []
    for fact in facts:
        score, made = step(score, fact)
        terms += made
    return score, terms


def steps(facts: Iterable[Fact]) -> Iterable[Score]:
    score = START
    for fact in facts:
        score, _ = step(score, fact)
        yield score


@examples(300, many=20_000)
@given(histories())
def test_the_score_stays_within_its_bounds(history: list[Fact]):
    for score in steps(history):
        assert 0 <= score.shown <= 9500
        for recovery in score.recoveries.values():
            assert 0 <= min(justice(recovery)) <= max(justice(recovery)) <= 100
            assert 0 <= recovery_satisfaction(recovery) <= 100
            assert 0 <= recovery.lowest <= 9500


@examples(300, many=20_000)
@given(histories(), st.integers(min_value=0))
def test_a_fold_can_be_stored_anywhere_and_continued(history: list[Fact], cut: int):
    cut %= len(history) + 1
    before, terms_before = folded(history[:cut])
    stored = SCORE.validate_json(SCORE.dump_json(before))
    after, terms_after = folded(history[cut:], stored)

    assert (after, terms_before + terms_after) == folded(history)


@examples(300, many=20_000)
@given(histories())
def test_the_terms_add_up_exactly_and_are_never_zero(history: list[Fact]):
    score, terms = folded(history)

    total = 7000
    for term in terms:
        total += term.change
        assert term.change != 0
        assert term.total == total
    assert score.total == total


@examples(300, many=20_000)
@given(histories())
def test_inference_alone_never_claims_more_than_ninety_percent_healed(history: list[Fact]):
    for score in steps(history):
        for recovery in score.recoveries.values():
            assert 0 <= recovery.healed <= recovery.loss * 90 // 100


@examples(300, many=20_000)
@given(histories())
def test_without_gestures_and_the_customers_word_nobody_ends_above_the_start(history: list[Fact]):
    inferred = [fact for fact in history if not isinstance(fact.event, (GestureMade, SatisfactionStated))]

    assert all(score.total <= 7000 and not score.paradox for score in steps(inferred))


@examples(300, many=20_000)
@given(histories())
def test_the_state_between_two_facts_holds_whole_numbers_and_no_words(history: list[Fact]):
    score, _ = folded(history)
    stored = SCORE.dump_json(score).decode()

    assert not any(isinstance(one, float) for one in _values(SCORE.dump_python(score)))
    for words in ("it went wrong", "in his own words", "my side of it", "example.org"):
        assert words not in stored


def _values(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _values(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _values(one)
    else:
        yield value


# Better treatment never ends lower. Each function gives the better fact, None where it had better not happened.


def with_the_event(fact: Fact, **changes: Any) -> Fact:
    return replace(fact, event=fact.event.model_copy(update=changes))


def feeling_named(fact: Fact) -> Fact:
    named = isinstance(fact.event, ApologyMade) and fact.event.said != "none"
    return with_the_event(fact, feeling_named=True) if named else fact


def admits(fact: Fact) -> Fact:
    regret = isinstance(fact.event, ApologyMade) and fact.event.said in ("none", "regret")
    return with_the_event(fact, said="admits") if regret else fact


def full_remedy(fact: Fact) -> Fact:
    return with_the_event(fact, resolves="full") if isinstance(fact.event, RemedyDelivered) else fact


def paid_at_once(fact: Fact) -> Fact:
    if isinstance(fact.event, RemedyPromised) and fact.event.repaid_by == "money_later":
        return with_the_event(fact, repaid_by="money_now")
    return with_the_event(fact, late=False) if isinstance(fact.event, CompensationDelivered) else fact


def without(*kinds: type) -> Better:
    return lambda fact: None if isinstance(fact.event, kinds) else fact


def felt_less_severe(fact: Fact) -> Fact:
    event = fact.event
    if isinstance(event, FailureReported):
        name = "severity_customer" if event.severity_customer else "severity"
        return with_the_event(fact, **{name: max(1, getattr(event, name) - 1)})
    if isinstance(event, FailureReassessed) and event.field.startswith("severity"):
        return with_the_event(fact, to=str(max(1, int(event.to) - 1)))
    return fact


BETTER: dict[str, Better] = {
    "the feeling is named": feeling_named,
    "the apology admits": admits,
    "the remedy resolves it in full": full_remedy,
    "it is paid at once": paid_at_once,
    "nobody is treated poorly": without(TreatmentReported),
    "nobody waits in silence": without(SilenceNoticed),
    "no deadline is missed": without(DeadlineMissed),
    "nobody has to come back": without(CustomerContactedAgain),
    "nobody is handed over": without(RecoveryHandedOff),
    "it is felt less severe": felt_less_severe,
}


def undisturbed(history: list[Fact]) -> list[Fact]:
    """The history without statements and visits in the midst of a recovery.

    They re-anchor the sum: a word said half way takes away most of the lead that better treatment had until
    then, while what both heal afterwards counts in full. What a customer would have said instead, nobody knows.
    """
    first: dict[Any, int] = {}
    last: dict[Any, int] = {}
    for n, fact in enumerate(history):
        recovery_id = getattr(fact.event, "recovery_id", None)
        if recovery_id is not None and not isinstance(fact.event, SatisfactionStated):
            first.setdefault(recovery_id, n)
            last[recovery_id] = n
    return [
        fact
        for n, fact in enumerate(history)
        if not (
            isinstance(fact.event, (SatisfactionStated, EncounterCompleted))
            and any(first[one] < n < last[one] for one in first)
        )
    ]


def improved(history: list[Fact], better: Better, chosen: int) -> list[Fact]:
    """The history with better treatment: everywhere where `chosen` is 0, else in one place."""
    changed = [(n, made) for n, fact in enumerate(history) if (made := better(fact)) is not fact]
    if chosen and changed:
        changed = [changed[chosen % len(changed)]]
    instead = dict(changed)
    kept = [instead.get(n, fact) if n in instead else fact for n, fact in enumerate(history)]
    return [fact for fact in kept if fact is not None]


@pytest.mark.parametrize("better", [pytest.param(one, id=name) for name, one in BETTER.items()])
@examples(100, many=20_000)
@given(history=histories(), chosen=st.integers(min_value=0, max_value=5))
def test_better_treatment_never_ends_lower(better: Better, history: list[Fact], chosen: int):
    history = undisturbed(history)

    assert folded(improved(history, better, chosen))[0].total >= folded(history)[0].total


@examples(200, many=20_000)
@given(histories())
def test_twice_as_fast_never_ends_lower(history: list[Fact]):
    history = undisturbed(history)

    assert folded(twice_as_fast(history))[0].total >= folded(history)[0].total


def twice_as_fast(history: list[Fact]) -> list[Fact]:
    """The same facts in the same order, each of a recovery in half the time since its report."""
    opened = {
        fact.event.recovery_id: fact.occurred_at
        for fact in reversed(history)
        if isinstance(fact.event, FailureReported)
    }
    faster = []
    for fact in history:
        since = opened.get(getattr(fact.event, "recovery_id", None))
        if since is not None and fact.occurred_at > since and not isinstance(fact.event, GestureMade):
            fact = replace(fact, occurred_at=since + (fact.occurred_at - since) / 2)
        faster.append(fact)
    return faster
