"""Brief: everything somebody needs who is about to speak with a customer, on one page, his own words first."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.advice.advice import AuthorityLeft, NextStep
from domain.advice.allowance import authority_left
from domain.advice.cost import OwnCost, own_cost
from domain.advice.known import expectations, said
from domain.advice.next_step import next_step
from domain.advice.promises import OpenPromise, open_promises
from domain.advice.situation import Situation, circumstances
from domain.advice.stay import ReasonToStay, reason_to_stay
from domain.kinds import Fact
from domain.recovery import Recovery
from domain.standards.authority import Asker
from domain.standards.house import House
from domain.standards.playbook import Circumstances


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class LastOutcome(_Told):
    """How the last recovery that came to an end did so."""

    recovery_id: UUID
    what: str
    phase: str
    outcome: str | None
    ended_at: datetime | None
    failed_again: bool


class Wish(_Told):
    """What the customer wishes for, beside what the house does about it."""

    topic: str
    wish: str | None
    importance: int
    said_by: str
    standard: str | None


class Past(_Told):
    """One recovery in a line."""

    recovery_id: UUID
    what: str
    severity: int
    phase: str
    opened_at: datetime
    outcome: str | None


class Brief(_Told):
    """The page. Words of the customer are there for readers who may see personal parts."""

    desired_outcome: str | None
    customer_words: str | None
    last_outcome: LastOutcome | None
    customer_loss: OwnCost
    """What all his failures cost him."""
    expectations: tuple[Wish, ...]
    open_promises: tuple[OpenPromise, ...]
    next_step: NextStep | None
    """For the recovery asked for, else for the most pressing one; null where nothing is open."""
    authority_left: AuthorityLeft
    reason_to_stay: ReasonToStay
    recoveries: tuple[Past, ...]
    """The latest first."""
    customer_id: UUID
    version: int
    as_of: datetime
    words_shown: bool
    """Whether the reader may see personal parts."""


def brief(
    facts: Sequence[Fact],
    found: Situation,
    recovery: Recovery | None,
    house: House,
    asker: Asker,
    as_of: datetime,
    *,
    words_shown: bool,
) -> Brief:
    """The page about this customer, and about this recovery if one is open."""
    told = said(facts, recovery.recovery_id) if recovery else None
    return Brief(
        desired_outcome=told.desired_outcome if told else None,
        customer_words=told.customer_words if told else None,
        last_outcome=_last_outcome(found),
        customer_loss=own_cost(facts, found),
        expectations=_wishes(facts, found, recovery, house),
        open_promises=tuple(open_promises(facts, found, as_of)),
        next_step=next_step(found, recovery, house, asker, as_of) if recovery else None,
        authority_left=authority_left(house, found.relationship, recovery, asker, as_of),
        reason_to_stay=reason_to_stay(facts, found, as_of),
        recoveries=tuple(_past(one) for one in _latest_first(found)),
        customer_id=found.relationship.customer_id,
        version=found.relationship.version,
        as_of=as_of,
        words_shown=words_shown,
    )


def _latest_first(found: Situation) -> list[Recovery]:
    recoveries = found.relationship.recoveries.values()
    return sorted(recoveries, key=lambda one: (one.opened_at, one.recovery_id), reverse=True)


def _last_outcome(found: Situation) -> LastOutcome | None:
    ended = [one for one in _latest_first(found) if one.ended]
    if not ended:
        return None
    last = max(ended, key=lambda one: one.closed_at or one.resolved_at or one.opened_at)
    return LastOutcome(
        recovery_id=last.recovery_id,
        what=last.what,
        phase=last.phase,
        outcome=last.outcome,
        ended_at=last.closed_at or last.resolved_at,
        failed_again=last.deviations > 0,
    )


def _wishes(facts: Sequence[Fact], found: Situation, recovery: Recovery | None, house: House) -> tuple[Wish, ...]:
    case = circumstances(recovery, found.case(recovery)) if recovery else Circumstances()
    playbook = house.playbook(case).body
    return tuple(
        Wish(
            topic=one.topic,
            wish=one.wish,
            importance=one.importance,
            said_by=one.said_by,
            standard=playbook.note_on(one.topic),
        )
        for one in expectations(facts)
    )


def _past(recovery: Recovery) -> Past:
    return Past(
        recovery_id=recovery.recovery_id,
        what=recovery.what,
        severity=recovery.urgency,
        phase=recovery.phase,
        opened_at=recovery.opened_at,
        outcome=recovery.outcome,
    )
