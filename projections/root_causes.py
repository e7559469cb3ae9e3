"""Root causes: whether it was the house, a person, or neither, and which class of cause it was each time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy import Column, Text, Uuid, func, select

from domain.kinds import Fact
from domain.moves.cause import INDIVIDUAL, SYSTEMIC
from domain.rates import Rate, hidden, rate
from projections.base import Instant, Key, Projection, Row, Source, position_column, projection_table, text_list
from projections.period import Period, Report

Group = Literal["systemic", "individual", "other"]

root_causes = projection_table(
    "root_causes",
    position_column(),
    Column("recovery_id", Uuid, nullable=False),
    Column("cause_class", Text, nullable=False),
    Column("contributing", Text, nullable=False),
    Column("rule_id", Text),
    Column("tool_id", Text),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per time that somebody said why it went wrong; of a recovery the last word counts."""


class RootCauses(Projection):
    """Why things went wrong."""

    name = "root_causes"
    version = 1
    topics = frozenset(("root_cause.attributed",))
    tables = (root_causes,)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for a cause that was named."""
        event: Any = fact.event
        if event.TOPIC != "root_cause.attributed":
            return {}
        row = {
            "position": fact.position,
            "recovery_id": event.recovery_id,
            "cause_class": event.cause_class,
            "contributing": text_list(event.contributing),
            "rule_id": event.rule_id,
            "tool_id": event.tool_id,
            "occurred_at": fact.occurred_at,
        }
        return {("root_causes", fact.position): row}


class CauseCount(BaseModel):
    """How often a class of cause was named; None of an individual one that is hidden."""

    cause_class: str
    group: Group
    n: int | None


class Contribution(BaseModel):
    """How often a class of cause was said to have contributed to another."""

    cause_class: str
    n: int


class CauseReport(Report):
    """Why it went wrong: the house (systemic), a person (individual), or neither (other).

    `n` counts recoveries whose cause is known, each by the last word on it. A class of individual causes with
    fewer than 5 cases is hidden, and so is the next larger one where it could be worked out from the others. Where
    there are fewer than 5 individual causes in all, they are `left_out`: they count nowhere, `n` included.
    """

    systemic: Rate
    individual: Rate | None
    """None where they are left out."""
    left_out: bool
    other: Rate
    classes: list[CauseCount]
    contributing: list[Contribution]
    """What was said to have contributed, also to individual causes. Individual ones themselves are left out."""


def report(source: Source, period: Period) -> CauseReport:
    """The causes that were named in this period, by group and by class."""
    rows = _counted(source, period)
    named = _summed((row["cause_class"], row["n"]) for row in rows)
    concealed = _concealed(named)
    left_out = hidden(sum(concealed.values())) and bool(concealed)
    classes = {one: n for one, n in named.items() if not left_out or one not in concealed}
    n = sum(classes.values())
    groups = _summed((group_of(one), many) for one, many in classes.items())
    return CauseReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=n,
        systemic=rate(groups.get("systemic", 0), n),
        individual=None if left_out else rate(groups.get("individual", 0), n),
        left_out=left_out,
        other=rate(groups.get("other", 0), n),
        classes=_told({one: None if one in concealed else many for one, many in classes.items()}),
        contributing=[Contribution(cause_class=one, n=many) for one, many in _ranked(_contributing(rows))],
    )


def _concealed(classes: Mapping[str, int]) -> dict[str, int]:
    """The classes of individual causes that are not told: the small ones, and whatever would tell of them."""
    individual = sorted((n, one) for one, n in classes.items() if group_of(one) == "individual")
    concealed: dict[str, int] = {}
    for n, one in individual:
        # From the sum of all and those that are shown, nobody learns of fewer than five.
        if hidden(n) or (concealed and hidden(sum(concealed.values()))):
            concealed[one] = n
    return concealed


def group_of(cause_class: str) -> Group:
    """Systemic, individual or other; a class of a newer program is other."""
    if cause_class in SYSTEMIC:
        return "systemic"
    return "individual" if cause_class in INDIVIDUAL else "other"


def _counted(source: Source, period: Period) -> list[Row]:
    of = root_causes.c
    last = func.row_number().over(partition_by=(of.stream_id, of.recovery_id), order_by=of.position.desc())
    known = (
        select(of.cause_class, of.contributing, of.occurred_at, last.label("nth_last"))
        .where(*source.of(RootCauses, root_causes), of.occurred_at <= period.as_of)
        .subquery()
    )
    query = (
        select(known.c.cause_class, known.c.contributing, func.count().label("n"))
        .where(known.c.nth_last == 1, *period.of(known.c.occurred_at))
        .group_by(known.c.cause_class, known.c.contributing)
    )
    return [row._asdict() for row in source.conn.execute(query)]


def _summed(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for name, n in counts:
        sums[name] = sums.get(name, 0) + n
    return sums


def _contributing(rows: Sequence[Row]) -> dict[str, int]:
    # A class named twice in one case counts once; of a person's share not even that it contributed is told.
    named = ((one, row["n"]) for row in rows for one in {*row["contributing"].split(",")} if one)
    return _summed((one, n) for one, n in named if group_of(one) != "individual")


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _told(classes: Mapping[str, int | None]) -> list[CauseCount]:
    """The most frequent first, the hidden ones by name at the end."""
    ordered = sorted(classes.items(), key=lambda one: (one[1] is None, -(one[1] or 0), one[0]))
    return [CauseCount(cause_class=one, group=group_of(one), n=n) for one, n in ordered]
