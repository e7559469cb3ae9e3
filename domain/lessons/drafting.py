"""Drafting: what was recorded of one recovery, told so that the whole house may learn from it.

Known codes, numbers and offsets ("+6 min") only: no word of anybody's, no id, no date, and never who was at fault.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from types import NoneType
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin
from uuid import UUID

from domain.errors import UnknownRef
from domain.kinds import Event, Fact
from domain.lessons.stories import Step, step
from domain.lessons.telling import sentence, title, words
from domain.moves.cause import SYSTEMIC, RootCauseAttributed
from domain.moves.failure import FailureReassessed, FailureReported
from domain.moves.obstacle import ObstacleEncountered
from domain.moves.treatment import TreatmentReported
from domain.values import OneOf
from domain.vocabulary import REMEDY_KIND

MOST_STEPS: Final = 60
OF_THE_HOUSE: Final = (
    ("tool_or_equipment", "outdated_data", "no_training", "overload", "policy_block", "approval_wait")
    + ("no_authority", "no_budget", "handoff_loss", "missing_playbook")
)  # fmt: skip
"""What stands in the way without anybody's doing. The other obstacles are about how somebody behaved."""
QUESTIONS: Final = "To talk about: what would have spared the customer this, and what do we do the next time?"


class Draft(NamedTuple):
    """The words of a lesson that nobody has looked at yet."""

    title: str
    text: str


def drafted(facts: Iterable[Fact], recovery_id: UUID, trigger: UUID | None = None) -> Draft:
    """The story of this recovery out of its customer's facts; up to the event `trigger` where that is among them.

    Raises UnknownRef when it is not told of in them.
    """
    told = list(_of(recovery_id, _until(list(facts), trigger)))
    begun = told[0].event if told else None
    if not isinstance(begun, FailureReported):
        raise UnknownRef("recovery", recovery_id)
    steps = list(_steps(told, anybody=_shows_up(told, begun)))
    return Draft(_title(begun, told, steps), "\n".join(_lines(begun, told, steps)))


def _until(facts: Sequence[Fact], trigger: UUID | None) -> Sequence[Fact]:
    ends = next((n for n, fact in enumerate(facts, start=1) if fact.event_id == trigger), len(facts))
    return facts[:ends]


def _of(recovery_id: UUID, facts: Iterable[Fact]) -> Iterator[Fact]:
    """From the report of the failure on, what belongs to this recovery."""
    return (fact for fact in facts if vars(fact.event).get("recovery_id") == recovery_id)


def _shows_up(told: Iterable[Fact], begun: FailureReported) -> bool:
    """Whether it is about how somebody treated the customer: then not even role classes are told."""
    personally = begun.what == "treated_badly" or begun.failure_kind == "interactional"
    return personally or any(isinstance(fact.event, TreatmentReported) or _about_that(fact.event) for fact in told)


def _about_that(event: Event) -> bool:
    return isinstance(event, FailureReassessed) and (event.field, event.to) == ("failure_kind", "interactional")


def _steps(told: Sequence[Fact], *, anybody: bool) -> Iterator[Step]:
    since = told[0].occurred_at
    for fact in told[1:]:
        one = step(fact, since)
        if one is not None:
            kept = {name: known(fact.event, name) for name in one["details"]}
            details = {name: value for name, value in kept.items() if value is not None}
            yield {**one, "details": details} | ({"by": None} if anybody else {})


def _title(begun: FailureReported, told: Sequence[Fact], steps: Sequence[Step]) -> str:
    codes = {"what": known(begun, "what")}
    turns = {"recovery.resolved": True, "recovery.reopened": False}
    resolved = [turns[fact.event.TOPIC] for fact in told if fact.event.TOPIC in turns]
    if resolved and resolved[-1]:
        return title("recovery", codes, [dict(one) for one in steps], None)
    return f"{words(codes['what']).capitalize()}, and not put right"


def _lines(begun: FailureReported, told: Sequence[Fact], steps: Sequence[Step]) -> Iterator[str]:
    kind = known(begun, "failure_kind")
    yield f"It began as: {words(known(begun, 'what'))} ({kind}), severity {_severity(begun, told)} of 5."
    yield from (sentence(one) for one in steps[:MOST_STEPS])
    in_the_way = _named(told, ObstacleEncountered, "kind", OF_THE_HOUSE)
    if in_the_way:
        yield f"What stood in the way: {', '.join(in_the_way)}."
    causes = _named(told, RootCauseAttributed, "cause_class", SYSTEMIC)
    if causes:
        yield f"What the house had to do with it: {', '.join(causes)}."
    yield QUESTIONS


def _severity(begun: FailureReported, told: Iterable[Fact]) -> int:
    changes = (fact.event for fact in told if isinstance(fact.event, FailureReassessed))
    return [begun.severity, *(int(one.to) for one in changes if one.field == "severity")][-1]


def _named(told: Iterable[Fact], kind: type[Event], name: str, of: Sequence[str]) -> list[str]:
    """The codes that these events name, in their order, each once; of others nothing."""
    found = (getattr(fact.event, name) for fact in told if isinstance(fact.event, kind))
    return [words(one) for one in dict.fromkeys(found) if one in of]


def known(event: Event, name: str) -> Any:
    """A number, a yes or no, or a code out of a list of ours; None of whatever else a caller may have said."""
    value = getattr(event, name)
    if isinstance(value, bool | int):
        return value
    if value in _vocabulary(type(event), name):
        return value
    return "other" if isinstance(value, str) and "other" in _vocabulary(type(event), name) else None


@cache
def _vocabulary(kind: type[Event], name: str) -> frozenset[str]:
    """The codes that this field may hold."""
    field = kind.model_fields[name]
    found = [*_listed(field.annotation), *(one for mark in field.metadata for one in _marked(mark))]
    # What put it right is named after remedies, though callers may name it as they like.
    return frozenset(found) | (frozenset(REMEDY_KIND.known) if name == "how_code" else frozenset())


def _listed(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from (one for one in get_args(annotation) if isinstance(one, str))
    elif annotation is not NoneType:
        for part in get_args(annotation):
            yield from _listed(part)
            yield from _marked(part)


def _marked(mark: Any) -> Iterator[str]:
    if isinstance(mark, OneOf):
        yield from mark.known
