"""What is advised at the end of a recovery is never refused."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

import hypothesis
from hypothesis import strategies as st

from domain.errors import Refused
from domain.moves.apology import Apologise
from domain.moves.cause import AttributeCause
from domain.moves.compensation import GrantCompensation
from domain.moves.follow_up import AttemptFollowUp, CompleteFollowUp
from domain.moves.handling import Acknowledge
from domain.moves.hearing import HearConcern
from domain.moves.invitation import InviteBack
from domain.moves.outcome import Close, Reopen, Resolve
from domain.moves.remedy import DeliverRemedy, FailRemedy, RefuseRequest
from domain.moves.treatment import ReportTreatment
from domain.moves.waiver import WaiveStep
from domain.recovery import Recovery
from domain.relationship import RecoveryCommand
from tests.support.advised import advised
from tests.support.given import START, Story
from tests.support.soak import examples
from tests.support.stories import only, reported

MOVES: Final[list[RecoveryCommand]] = [
    Acknowledge(),
    Apologise(said="admits"),
    HearConcern(compassion="named_feeling"),
    DeliverRemedy(remedy_kind="replacement", resolves="full"),
    RefuseRequest(reason="safety", alternative="Another one."),
    FailRemedy(reason="It broke."),
    GrantCompensation(kind="voucher", delivered=True),
    *(WaiveStep(step=step, reason="customer_request") for step in ("apology", "compassion", "compensation")),
    *(WaiveStep(step=step, reason="customer_request") for step in ("follow_up", "root_cause")),
    Resolve(),
    CompleteFollowUp(outcome="partly"),
    CompleteFollowUp(outcome="dissatisfied"),
    AttemptFollowUp(outcome="declined"),
    InviteBack(what="dinner", valid_until=START + timedelta(days=400)),
    AttributeCause(cause_class="supplier"),
    ReportTreatment(treatment="last_word"),
    Reopen(cause="recurrence"),
]
DONE: Final[list[RecoveryCommand]] = [
    Apologise(said="admits"),
    HearConcern(compassion="named_feeling"),
    DeliverRemedy(remedy_kind="replacement", resolves="full"),
    Apologise(said="regret"),
]
GRAVE: Final[list[RecoveryCommand]] = [
    *DONE,
    Resolve(),
    CompleteFollowUp(outcome="partly"),
    InviteBack(what="dinner", valid_until=START + timedelta(days=400)),
    AttributeCause(cause_class="supplier"),
]
"""All that is left is to give something, or expressly not to."""
ANY: Final = st.lists(st.sampled_from(MOVES), max_size=12)
TOLD: Final = st.one_of(ANY, ANY.map(lambda more: [*DONE, Resolve(), *more]))
SEVERITIES: Final = st.integers(min_value=1, max_value=4)
FAULTS: Final = st.sampled_from(["firm", "customer"])


def told(severity: int, fault: str, moves: Sequence[RecoveryCommand]) -> Story:
    """A failure, and what came of these moves; those that were refused changed nothing."""
    tale = reported(severity=severity, fault=fault)
    for minute, move in enumerate(moves, start=1):
        with suppress(Refused):
            tale.when(move, at=minute)
    return tale


def outcome_of(recovery: Recovery) -> Close:
    """How it may be closed, by what the customer said."""
    if recovery.stated:
        return Close(outcome="partly")
    return Close(outcome="declined" if recovery.declined else "not_asked")


@examples(200, many=3_000)
@hypothesis.given(severity=SEVERITIES, fault=FAULTS, moves=TOLD)
@hypothesis.example(severity=3, fault="customer", moves=GRAVE)
def test_to_resolve_and_to_close_is_advised_only_where_it_would_be_taken(
    severity: int, fault: str, moves: list[RecoveryCommand]
):
    tale = told(severity, fault, moves)
    step = advised(tale, at=30).step
    if step == "resolve":
        tale.when(Resolve(), at=31)
    elif step == "close":
        tale.when(outcome_of(only(tale)), at=31)


def test_such_moves_lead_to_both():
    assert advised(told(2, "customer", DONE), at=30).step == "resolve"
    ended = [*DONE, Resolve(), CompleteFollowUp(outcome="partly")]
    assert advised(told(2, "customer", ended), at=30).step == "close"
