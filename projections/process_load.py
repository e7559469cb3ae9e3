"""Process load: how much procedure a recovery cost in approvals, hand-offs, questions and repeat contacts."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, Text, Uuid, select

from domain.kinds import Fact
from domain.rates import Rate, Spread, rate, spread_of_counts
from projections.base import Instant, Key, Projection, Row, Source, position_column, projection_table, said
from projections.period import AT_A_TIME, Period, Report, counted_cases
from projections.recovery_rows import recoveries

process_steps = projection_table(
    "process_steps",
    position_column(),
    Column("recovery_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("known_before", Boolean, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per thing that made a recovery longer, per remedy delivered, before which questions are counted, and per
time that a customer asked for somebody above.

`amount`: how many questions, else 1. `known_before`: the house held the answer, or the customer had told it.
"""

SUPERVISOR: Final = "supervisor"
KINDS: Final[Mapping[str, str]] = {
    "compensation.requested": "approvals",
    "recovery.handed_off": "hand_offs",
    "information.requested": "questions",
    "customer.contacted_again": "repeat_contacts",
    "remedy.delivered": "remedy",
    "escalation.raised": SUPERVISOR,
}
"""What each kind of event is counted as; of escalations only those that the customer demanded."""
LOADS: Final = ("approvals", "hand_offs", "questions", "repeat_contacts")
"""What the index of a recovery is the sum of."""


class ProcessLoad(Projection):
    """What made recoveries longer than they had to be."""

    name = "process_load"
    version = 2
    topics = frozenset(KINDS)
    tables = (process_steps,)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for a step of procedure, or for a remedy."""
        kind = KINDS.get(fact.event.TOPIC)
        event = fact.event
        if kind is None or (kind == SUPERVISOR and said(event, "trigger") != "supervisor_demanded"):
            return {}
        row = {
            "position": fact.position,
            "recovery_id": said(event, "recovery_id"),
            "kind": kind,
            "amount": said(event, "questions") or 1,
            "known_before": bool(said(event, "already_held") or said(event, "repeated_information")),
            "occurred_at": fact.occurred_at,
        }
        return {("process_steps", fact.position): row}


class Distribution(Spread):
    """The middle, the tail, and how many recoveries had each number."""

    counts: dict[int, int]


class LoadReport(Report):
    """How much procedure the recoveries cost (`n` of them), each thing as a distribution over recoveries.

    The `index` of a recovery is the sum of its approvals, hand-offs, questions and repeat contacts.

    `at_once` are those delivered and resolved at one moment, as an instant remedy is: there the customer should
    be asked nothing. `known_before`: of the questions and repeat contacts, the share in which the house held the
    answer already, or the customer had to tell again what he had told. `supervisor_demanded`: the recoveries in
    which the customer asked for a supervisor.
    """

    index: Distribution
    approvals: Distribution
    hand_offs: Distribution
    questions: Distribution
    repeat_contacts: Distribution
    questions_before_remedy: Distribution
    questions_before_remedy_at_once: Distribution
    known_before: Rate
    supervisor_demanded: Rate


@dataclass
class Load:
    """What one recovery cost so far, its steps added in order."""

    resolved_at: datetime | None
    counts: Counter[str] = field(default_factory=Counter)
    """How much of each thing, by the names of LOADS."""
    early: int = 0
    """Questions before the first remedy."""
    at_once: bool = False
    asked: int = 0
    known_before: int = 0

    def add(self, step: Any) -> None:
        """One step of procedure more, or a remedy."""
        self.counts[step.kind] += step.amount
        if step.kind == "remedy":
            self.at_once = self.at_once or step.occurred_at == self.resolved_at
        if step.kind == "questions" and not self.counts["remedy"]:
            self.early += step.amount
        if step.kind in ("questions", "repeat_contacts"):
            self.asked += 1
            self.known_before += step.known_before

    @property
    def index(self) -> int:
        """The sum of all things."""
        return sum(self.counts[name] for name in LOADS)


def report(source: Source, period: Period, recovery_id: UUID | None = None) -> LoadReport:
    """The recoveries reported in this period, or this one alone; without those withdrawn or entered in error."""
    loads = _loads(source, period, recovery_id)
    return LoadReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=len(loads),
        index=_distribution(one.index for one in loads),
        **{name: _distribution(one.counts[name] for one in loads) for name in LOADS},
        questions_before_remedy=_distribution(one.early for one in loads),
        questions_before_remedy_at_once=_distribution(one.early for one in loads if one.at_once),
        known_before=rate(sum(one.known_before for one in loads), sum(one.asked for one in loads)),
        supervisor_demanded=rate(sum(one.counts[SUPERVISOR] > 0 for one in loads), len(loads)),
    )


def _loads(source: Source, period: Period, recovery_id: UUID | None) -> Collection[Load]:
    """What each recovery that counts had cost by then."""
    only = () if recovery_id is None else (recoveries.c.recovery_id == recovery_id,)
    cases = counted_cases(source, [recoveries.c.resolved_at], *period.of(recoveries.c.opened_at), *only)
    loads = {one: Load(case.resolved_at) for one, case in cases.items()}
    for step in _steps(source, period, recovery_id):
        if (load := loads.get((step.stream_id, step.recovery_id))) is not None:
            load.add(step)
    return loads.values()


def _steps(source: Source, period: Period, recovery_id: UUID | None) -> Iterable[Any]:
    """What was recorded of all recoveries by then, or of this one, of each customer in order."""
    of = process_steps.c
    columns = (of.stream_id, of.recovery_id, of.kind, of.amount, of.known_before, of.occurred_at)
    only = () if recovery_id is None else (of.recovery_id == recovery_id,)
    query = select(*columns).where(*source.of(ProcessLoad, process_steps), of.occurred_at <= period.as_of, *only)
    return source.conn.execute(query.order_by(of.stream_id, of.position).execution_options(yield_per=AT_A_TIME))


def _distribution(values: Iterable[int]) -> Distribution:
    ordered = dict(sorted(Counter(values).items()))
    return Distribution(**spread_of_counts(ordered).model_dump(), counts=ordered)
