"""Recovery: one failure and everything done to put it right, as rules need to know it.

No personal data here: the state is stored in snapshots and projections as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from domain.amounts import Fx
from domain.kinds import Fact
from domain.values import Frozen, Money
from domain.vocabulary import Hardness

Phase = Literal["reported", "acknowledged", "acting", "resolved", "closed"]
Step = Literal["apology", "remedy", "compassion", "compensation", "follow_up", "root_cause"]
ClockStep = Literal["acknowledge", "first_action", "remedy", "compensation", "follow_up", "update", "response"]
Settling = Literal["remedy", "compensation"]


@dataclass(frozen=True)
class Deadline(Frozen):
    """Something due. It fires only when `due_at` lies after `set_at`, the time it was recorded."""

    due_at: datetime
    set_at: datetime
    fires: bool = True
    since: datetime | None = None
    """From when the time is counted that the step may take."""


@dataclass(frozen=True)
class Remedy(Frozen):
    """What was promised to put it right, and how far it got."""

    remedy_kind: str
    repaid_by: str
    status: Literal["promised", "started", "delivered", "failed", "turned_down"] = "promised"
    delivered_at: datetime | None = None


@dataclass(frozen=True)
class Compensation(Frozen):
    """What goes beyond what was owed, and how far it got."""

    kind: str
    basis: str
    expires_at: datetime | None = None
    status: Literal["granted", "delivered", "expired", "reversed", "turned_down"] = "granted"
    granted_at: datetime | None = None
    amount: Money | None = None
    """What it costs us, or where nobody said so what it is worth to him."""
    budget: UUID | None = None
    """The budget that pays."""
    by: UUID | None = None
    """The colleague who gave it, and the day it counts against where he works."""
    local_day: date | None = None
    recorded_at: datetime | None = None
    """When the ledger recorded the grant."""
    counts_from: datetime | None = None
    """From when it counts against the customer's limit."""
    budget_amount: Money | None = None
    """What the budget pays, where its currency is another."""
    given_by: str = ""
    """Who gave it, as the header names him: a colleague, a key, or the clock."""
    ruled: bool = False
    """Whether a rule of authority let it be given."""

    @property
    def drawn(self) -> Money | None:
        """What it takes from the budget."""
        return self.budget_amount or self.amount

    @property
    def stands(self) -> bool:
        """Whether the customer has it, or may still have it."""
        return self.status in ("granted", "delivered")


@dataclass(frozen=True)
class Request(Frozen):
    """A compensation that somebody asked to give and that needs another's word."""

    kind: str
    basis: str
    timing: Literal["now", "later"]
    value: Money | None
    cost: Money | None
    by: UUID | None
    approver: str
    """Whose word it needs: a manager's, or any peer's."""
    asked_at: datetime
    recorded_at: datetime
    decide_by: datetime
    fallback: Money | None
    """What is granted if nobody decides in time; None: it goes further up."""
    budget: UUID | None
    """The budget that holds the fallback back."""
    standard: str
    standard_version: int
    rule_id: str
    expires_at: datetime | None = None
    timed_out: bool = False
    granted: Money | None = None
    """What the customer got of it because nobody decided in time."""
    fx: Fx | None = None
    """The rate that leads to the budget's currency, where it is another."""
    budget_currency: str | None = None
    budget_amount: Money | None = None
    """What the budget holds back for the fallback, where its currency is another."""

    @property
    def amount(self) -> Money | None:
        """What it would cost us, or where nobody said so what it would be worth to him."""
        return self.cost or self.value


@dataclass(frozen=True)
class Obstacle(Frozen):
    """What stands in the way: its kind, and the rule behind it with how hard whoever met it found it."""

    kind: str
    rule_id: str | None = None
    hardness: Hardness | None = None


@dataclass(frozen=True)
class Invitation(Frozen):
    """An invitation to come back."""

    valid_until: datetime
    status: Literal["open", "redeemed", "expired"] = "open"
    recorded_at: datetime | None = None
    amount: Money | None = None
    """What it costs us, or where nobody said so what it is worth to him."""
    budget: UUID | None = None
    """The budget that pays."""


@dataclass(frozen=True)
class Done(Frozen):
    """When a step of the recovery was done, and by which role class."""

    at: datetime
    by: str


@dataclass(frozen=True)
class Recovery(Frozen):
    """One failure and everything done to put it right."""

    recovery_id: UUID
    opened_at: datetime
    reported_at: datetime
    """When the ledger recorded the failure."""
    what: str = "other"
    failure_kind: str = "unknown"
    resource: str = "unknown"
    severity: int = 2
    severity_customer: int | None = None
    fault: str = "unknown"
    detection: str = "customer_reported"
    similarity_key: str = ""
    repeated: bool = False
    """A similar failure lies within 180 days before."""
    loss: Money | None = None
    report_key: UUID | None = None
    order_key: UUID | None = None
    clocks: bool = True
    """False for history and imports: no duty runs."""
    public: bool = False

    phase: Phase = "reported"
    owner: UUID | None = None
    team: str | None = None
    done: Mapping[str, Done] = field(default_factory=dict)
    """Steps done: acknowledge, apology, apology:<stage>, compassion, first_action, remedy, compensation,
    follow_up, root_cause; and what the customer had to bear: contacted_again, handed_off."""
    waived: Mapping[str, str] = field(default_factory=dict)
    """Steps waived, with the reason."""
    remedies: Mapping[UUID, Remedy] = field(default_factory=dict)
    compensations: Mapping[UUID, Compensation] = field(default_factory=dict)
    requests: Mapping[UUID, Request] = field(default_factory=dict)
    """Compensations asked for that nobody has decided on."""
    invitations: Mapping[UUID, Invitation] = field(default_factory=dict)
    obstacles: Mapping[UUID, Obstacle] = field(default_factory=dict)
    """Open obstacles."""
    commitments: Mapping[UUID, datetime] = field(default_factory=dict)
    """Open commitments and when they are due."""
    deadlines: Mapping[str, Deadline] = field(default_factory=dict)
    """Open clocks by step."""
    missed: tuple[str, ...] = ()

    settled_by: tuple[tuple[Settling, UUID | None], ...] = ()
    """What settled it since the last (re)opening and still stands (I-4): the remedies and compensations
    delivered or turned down; a request refused with an alternative stands as a remedy without an id."""
    apologised: bool = False
    """Since the last (re)opening (I-4)."""
    reopened_for: str | None = None
    reopenings: int = 0
    deviations: int = 0
    """How often it failed again: reopenings but for dissatisfaction, remedies that failed before resolution."""
    treatments: tuple[int, ...] = ()
    """Positions of the treatment events that belong here; their colleague is read there (I-21)."""
    escalation: int | None = None
    settle_by: datetime | None = None
    """By when the escalation goes a level up, unless somebody has dealt with it (D3)."""
    leaving: bool = False
    lost: bool = False

    contacted_at: datetime | None = None
    """The last contact towards the customer, or the report itself: silence is counted from here."""
    contact_recorded_at: datetime | None = None
    silence_counts_from: datetime | None = None
    """When the ledger recorded what last made silence possible or changed its interval: the report, a contact, a
    new urgency, an address. No silence is noticed that would have fallen due before."""
    silences: int = 0
    silent_since: datetime | None = None
    silence_noticed_at: datetime | None = None
    alarms: tuple[datetime, ...] = ()
    """When silence will be noticed, where the house has promised times of its own; else by what ships."""
    follow_up_at: datetime | None = None
    """When we mean to ask the customer how it went; None once we have, and where nobody means to."""
    tries: tuple[date, ...] = ()
    """Days of follow-up attempts since the last resolution."""
    unanswered: tuple[date, ...] = ()
    """Those of them that nobody answered (I-14)."""
    declined: bool = False
    """The customer did not want to be asked, since the last resolution."""
    stated: bool = False
    """The customer said how he feels since the last resolution (I-14)."""
    low_statements: int = 0
    """Statements of dissatisfaction after an ending of this recovery so far (I-19)."""
    resolved_at: datetime | None = None
    resolved_recorded_at: datetime | None = None
    first_contact: bool | None = None
    last_event_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None

    @property
    def urgency(self) -> int:
        """The severity for clocks, invariants and risk: the higher of both, the customer's counted up to 4."""
        return max(self.severity, min(self.severity_customer or 0, 4))

    @property
    def acted(self) -> bool:
        """Whether something was done since the last (re)opening that still stands (I-4)."""
        return bool(self.settled_by)

    @property
    def ended(self) -> bool:
        """Resolved or closed."""
        return self.phase in ("resolved", "closed")

    @property
    def expects_compensation(self) -> bool:
        """Whether more than what was owed is expected. Source: domain.md section 5."""
        if self.fault == "customer":
            return False
        money_lost = self.resource == "monetary" or self.loss is not None
        return self.urgency >= 3 or money_lost or self.repeated

    def with_done(self, step: str, fact: Fact) -> "Recovery":
        """The recovery with this step done; the first time counts."""
        if step in self.done:
            return self
        return self.but(done={**self.done, step: Done(fact.occurred_at, fact.actor.role_class)})

    def without_clocks(self, *steps: str) -> "Recovery":
        """The recovery with these clocks stopped."""
        if self.deadlines.keys().isdisjoint(steps):
            return self
        return self.but(deadlines={s: d for s, d in self.deadlines.items() if s not in steps})

    def contacted(self, fact: Fact) -> "Recovery":
        """The recovery after a contact towards the customer: silence starts anew.

        A contact told late that lies before one we know of changes nothing.
        """
        if self.contacted_at is not None and fact.occurred_at < self.contacted_at:
            return self
        return self.heard_from_us(fact)

    def heard_from_us(self, fact: Fact) -> "Recovery":
        """The recovery with its silence counted from this fact, whenever it happened."""
        return self.but(
            contacted_at=fact.occurred_at,
            contact_recorded_at=fact.recorded_at,
            silence_counts_from=fact.recorded_at,
            silences=0,
            silent_since=None,
            silence_noticed_at=None,
            alarms=(),
        )

    def settled(self, step: Settling, by: UUID | None) -> "Recovery":
        """The recovery with this remedy or compensation standing as something done; None: a refusal."""
        return self.but(settled_by=(*self.settled_by, (step, by)))

    def taken_back(self, step: Settling, by: UUID) -> "Recovery":
        """The recovery after this delivered remedy or compensation failed or was reversed: done is what stands."""
        standing = tuple(one for one in self.settled_by if one != (step, by))
        taken = self.but(settled_by=standing)
        if any(of == step for of, _ in standing):
            return taken
        return taken.but(done={one: done for one, done in self.done.items() if one != step})

    def without_request(self, compensation_id: UUID) -> "Recovery":
        """The recovery with this request decided."""
        return self.but(requests={one: asked for one, asked in self.requests.items() if one != compensation_id})

    def acting(self) -> "Recovery":
        """The recovery in phase acting, unless it has ended."""
        return self if self.ended else self.but(phase="acting")

    def acknowledged(self, fact: Fact) -> "Recovery":
        """The recovery after a human answered the customer."""
        moved = self.but(phase="acknowledged") if self.phase == "reported" else self
        return moved.with_done("acknowledge", fact).without_clocks("acknowledge").contacted(fact)


def later(known: datetime | None, other: datetime) -> datetime:
    """The later of both: news told late never turns a clock back."""
    return other if known is None else max(known, other)
