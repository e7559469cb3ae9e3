"""Reason to stay: the right answer to "give me a reason to stay", from what is known and nothing else."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from domain.advice.known import Expectation, Win, expectations, wins
from domain.advice.promises import OpenPromise, open_promises
from domain.advice.situation import Situation
from domain.kinds import Fact
from domain.values import Code

NOT_EARNED: Final = "We have not earned one yet."
MOST_IMPORTANT: Final = 2
LATEST: Final = 2
Kind = Literal["expectation", "kept_promise", "gesture", "open_promise", "years_together"]


class Reason(BaseModel):
    """One reason, and where it comes from."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    said: str
    of: Code | None = None
    """The topic of a wish, or the kind of a gesture."""
    at: datetime | None = None


class ReasonToStay(BaseModel):
    """Why this customer should stay, in sentences that somebody can say."""

    model_config = ConfigDict(frozen=True)

    earned: bool
    said: str
    reasons: tuple[Reason, ...]


def reason_to_stay(facts: Sequence[Fact], found: Situation, as_of: datetime) -> ReasonToStay:
    """His two dearest wishes, our last two kept promises or gestures, an open promise, the years together."""
    standing = frozenset(
        one
        for recovery in found.relationship.recoveries.values()
        for one, remedy in recovery.remedies.items()
        if remedy.status == "delivered"
    )
    reasons = [_wish(one) for one in expectations(facts)[:MOST_IMPORTANT]]
    reasons += [_win(one) for one in wins(facts, standing)[:LATEST]]
    reasons += [_owed(one) for one in open_promises(facts, found, as_of)[:1]]
    reasons += _years(found.relationship.opened_at, as_of)
    said = " ".join(one.said for one in reasons) or NOT_EARNED
    return ReasonToStay(earned=bool(reasons), said=said, reasons=tuple(reasons))


def _wish(one: Expectation) -> Reason:
    about = f"{_spoken(one.topic)} matters to you"
    said = f"We know that {about}." if one.wish is None else f'We know that {about}: "{one.wish}"'
    return Reason(kind="expectation", said=said, of=one.topic)


def _win(one: Win) -> Reason:
    if one.kind == "gesture":
        return Reason(
            kind="gesture", said=f"We went beyond our duty for you: {_spoken(one.of or '')}.", of=one.of, at=one.at
        )
    what = one.what or ("we put it right" if one.of == "remedy" else "what we promised you")
    return Reason(kind="kept_promise", said=f"We kept our word: {what.rstrip('.')}.", of=one.of, at=one.at)


def _owed(one: OpenPromise) -> Reason:
    what = one.what or _spoken(one.kind)
    by = f" by {one.due_at.astimezone(UTC).date().isoformat()}" if one.due_at else ""
    return Reason(
        kind="open_promise", said=f"We still owe you{by}: {what.rstrip('.')}.", of=one.kind, at=one.due_at
    )


def _years(since: datetime | None, as_of: datetime) -> list[Reason]:
    if since is None:
        return []
    years = as_of.year - since.year - ((as_of.month, as_of.day) < (since.month, since.day))
    if years < 1:
        return []
    many = "a year" if years == 1 else f"{years} years"
    return [Reason(kind="years_together", said=f"You have been with us for {many}.", at=since)]


def _spoken(code: str) -> str:
    return code.replace("_", " ")
