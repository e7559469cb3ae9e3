"""Playbook: what to do in a case of this sort, what to offer first, and what to say at the end."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from domain.standards.document import Body, Standard
from domain.values import Code, Money, Severity
from domain.vocabulary import (
    COMPENSATION_KIND,
    REMEDY_KIND,
    REPAID_BY,
    WHAT,
    CompensationKind,
    FailureKind,
    RemedyKind,
    What,
)

Line = Annotated[str, StringConstraints(min_length=1, max_length=500)]
"""A line of the script, for the house. Never about a person."""
Effort = Annotated[int, Field(ge=1, le=5, strict=True)]
EFFORT: Final[dict[str, Effort]] = {
    "information": 1,
    "psychological": 1,
    "expedite": 2,
    "reperformance": 2,
    "exchange": 3,
    "money_now": 3,
    "money_later": 3,
    "unknown": 3,
}
"""What a remedy costs the house beside the others, from 1 to 5, where the playbook does not say. An assumption."""


class RemedyOffer(BaseModel):
    """A remedy to offer. A preventive one keeps the rest from happening at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: RemedyKind
    preventive: bool = False
    effort: Effort | None = None
    """What it costs the house beside the others, from 1 to 5."""

    @model_validator(mode="after")
    def _known(self) -> "RemedyOffer":
        if REMEDY_KIND.read(self.kind) != self.kind:
            raise ValueError(f"there is no remedy {self.kind!r}; there are " + ", ".join(REPAID_BY))
        return self

    @property
    def weight(self) -> int:
        """What it costs beside the others."""
        return self.effort or EFFORT[REPAID_BY[self.kind]]


class Offer(BaseModel):
    """Something to give on top: what it is worth to the customer, and what it costs the house."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offer_id: Code
    kind: CompensationKind
    value: Money
    cost: Money

    @model_validator(mode="after")
    def _meant(self) -> "Offer":
        if COMPENSATION_KIND.read(self.kind) != self.kind:
            raise ValueError(f"{self.offer_id}: no such kind of compensation: {self.kind}")
        if self.value.currency != self.cost.currency or not self.cost.minor or not self.value.minor:
            raise ValueError(f"{self.offer_id}: value and cost are above zero and in one currency")
        return self


class ExpectationNote(BaseModel):
    """What the house does about something that customers wish for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: Code
    note: Line


@dataclass(frozen=True)
class Circumstances:
    """What a playbook is chosen by."""

    what: str = "other"
    failure_kind: str = "unknown"
    touchpoint: str | None = None
    severity: int = 2
    similarity_key: str = ""


class Match(BaseModel):
    """Which cases a playbook is for; what is not said does not matter. Nothing said: for every case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: What | None = None
    failure_kind: FailureKind | None = None
    touchpoint: Code | None = None
    severity_range: tuple[Severity, Severity] | None = None
    similarity_key: Code | None = None

    @model_validator(mode="after")
    def _meant(self) -> "Match":
        if self.what is not None and WHAT.read(self.what) != self.what:
            raise ValueError(f"there is no {self.what!r}; there are " + ", ".join(WHAT.known))
        if self.severity_range is not None and self.severity_range[0] > self.severity_range[1]:
            raise ValueError("severity_range goes from the lowest severity to the highest")
        return self

    def fits(self, case: Circumstances) -> bool:
        """Whether the case is one of these."""
        given = self.model_dump(exclude={"severity_range"}, exclude_none=True)
        lowest, highest = self.severity_range or (1, 5)
        return lowest <= case.severity <= highest and all(
            getattr(case, name) == one for name, one in given.items()
        )

    @property
    def specific(self) -> tuple[int, int]:
        """The more, the fewer cases it fits: how much is said, and how much the names that are said tell."""
        given = self.model_dump(exclude_none=True)
        return len(given), sum(_TELLING[name] for name in given)


_TELLING: Final = {"severity_range": 0, "failure_kind": 1, "what": 2, "touchpoint": 3, "similarity_key": 4}


class Playbook(Body):
    """Steps, offers and words for the cases it is for."""

    KIND: ClassVar[str] = "playbook"

    match: Match = Match()
    steps: tuple[Line, ...] = ()
    remedies: tuple[RemedyOffer, ...] = ()
    offers: tuple[Offer, ...] = ()
    closing_do: tuple[Line, ...] = ()
    closing_dont: tuple[Line, ...] = ()
    dignity: tuple[Line, ...] = ()
    """How to let the customer keep his face, also where he is wrong."""
    expectation_notes: tuple[ExpectationNote, ...] = ()

    @model_validator(mode="after")
    def _told_apart(self) -> "Playbook":
        for field, names in (
            ("remedies", [one.kind for one in self.remedies]),
            ("offers", [one.offer_id for one in self.offers]),
            ("expectation_notes", [one.topic for one in self.expectation_notes]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"{field}: each one stands there once")
        return self

    def note_on(self, topic: str) -> str | None:
        """What the house does about this wish, if the playbook says so."""
        return next((one.note for one in self.expectation_notes if one.topic == topic), None)


def chosen(playbooks: Iterable[Standard[Playbook]], case: Circumstances) -> Standard[Playbook] | None:
    """The playbook for this case: the most specific that fits, ties by name."""
    fitting = sorted((one for one in playbooks if one.body.match.fits(case)), key=lambda one: one.name)
    return max(fitting, key=lambda one: one.body.match.specific, default=None)
