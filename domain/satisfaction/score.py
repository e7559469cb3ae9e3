"""The score of one relationship between two facts: the sum, and what the next fact needs to know.

No personal data and no fractions: it is stored as JSON beside the rows of a projection, as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from domain.satisfaction.terms import HIGHEST, LOSS, START_TOTAL, Band, band, moment, shown
from domain.values import Frozen

Basis = Literal["stated", "inferred", "prior"]


@dataclass(frozen=True)
class RecoveryScore(Frozen):
    """One failure as the score sees it: what it took away, and what heals it. Times are in microseconds."""

    opened_at: int
    severity: int
    failure_kind: str
    resource: str
    fault: str
    percent: int
    """100, more for a failure like an earlier one or soon after another, at most 200."""
    shown_before: int
    """The published score before this failure; only the customer's own word can claim more (a paradox)."""
    lowest: int = HIGHEST
    """The lowest published score between the report and the ending."""
    severity_customer: int | None = None
    similar: bool = False
    """A failure with the same similarity key lies within 180 days before."""
    money_lost: bool = False
    first: bool = False
    """The first failure of the relationship."""
    ended: bool = False
    deviations: int = 0
    """How often it failed again."""
    healed: int = 0

    acknowledge_by: int | None = None
    allowance: int | None = None
    """How long the first action may take; None where no clock was set."""
    acted_after: int | None = None
    """How long the first action took; None before it."""
    promised: Mapping[UUID, str] = field(default_factory=dict)
    """How each promised remedy repays."""
    repaid: tuple[tuple[str, bool], ...] = ()
    """The remedies delivered, as (repaid by, in full)."""
    granted: Mapping[UUID, int | None] = field(default_factory=dict)
    """Compensations granted, in percent of the loss."""
    paid: Mapping[UUID, int] = field(default_factory=dict)
    """Compensations in the customer's hands, in points."""
    apology: int = 0
    """Points of the best apology."""
    stages: tuple[str, ...] = ()
    """The distinct stages at which we apologised."""
    respected: bool = True
    informed: bool = True
    efforts: int = 0
    """Repeat contacts, hand-offs and questions whose answer we had, counted up to 3."""
    questions: int = 0
    """Questions asked before any remedy was in sight, counted up to 3."""
    autonomy: int = 20

    @property
    def counted_severity(self) -> int:
        """The customer's severity if he gave one, else the firm's."""
        return self.severity_customer or self.severity

    @property
    def loss(self) -> int:
        """What this failure takes away, before any healing."""
        return LOSS[self.counted_severity - 1] * self.percent // 100

    @property
    def delivered(self) -> bool:
        """Whether the customer has something in his hands."""
        return bool(self.repaid or self.paid)

    @property
    def expects_compensation(self) -> bool:
        """Whether more than what was owed is expected."""
        if self.fault == "customer":
            return False
        return self.counted_severity >= 3 or self.resource == "monetary" or self.money_lost or self.similar

    @property
    def believable(self) -> bool:
        """Whether the firm should put it right at once, without asking."""
        return self.fault != "customer" and self.counted_severity <= 3

    @property
    def worst_band(self) -> Band:
        """The lowest band between the report and the ending."""
        return band(self.lowest)


@dataclass(frozen=True)
class Stated(Frozen):
    """The customer's last word in numbers. Each is a new object: `is not` tells that the fact was a statement."""

    instrument: str
    value: int
    """On our scale, 1000 to 9500."""
    at_micros: int
    error: int
    """`value` minus the score shown before: how wrong the inference was."""
    recovery_id: UUID | None = None
    paradox: bool = False
    """He is more content with the recovery than he was before its failure."""
    plausible: bool = False
    """A paradox that research finds now and then: not severe, the first failure, never failed again."""

    @property
    def at(self) -> datetime:
        """When he said it."""
        return moment(self.at_micros)


@dataclass(frozen=True)
class Score(Frozen):
    """The satisfaction of one relationship after some facts. `total` is unbounded; `shown` is what we publish."""

    total: int = START_TOTAL
    baseline: int = START_TOTAL
    """What the customer was used to: raised by what he said before anything failed."""
    basis: Basis = "prior"
    """`stated` while the customer's word was the last thing that moved the sum."""
    stated: Stated | None = None
    failures_since_stated: int = 0
    recoveries: Mapping[UUID, RecoveryScore] = field(default_factory=dict)
    last_failure: int | None = None
    last_similar: Mapping[str, int] = field(default_factory=dict)
    """The latest failure of each similarity key."""
    gestures: tuple[tuple[int, int], ...] = ()
    """(when, points) of the gestures that gave any."""

    @property
    def shown(self) -> int:
        """The published score, 0 to 9500."""
        return shown(self.total)

    @property
    def band(self) -> Band:
        """The name for the published score."""
        return band(self.shown)

    @property
    def failed_again(self) -> int:
        """How often a recovery failed again."""
        return sum(recovery.deviations for recovery in self.recoveries.values())

    @property
    def paradox(self) -> bool:
        """Whether his last word was better than before the failure. Never inferred."""
        return self.stated is not None and self.stated.paradox

    @property
    def plausible(self) -> bool:
        """Whether that paradox is one that research finds now and then."""
        return self.stated is not None and self.stated.plausible
