"""Obstacles: what kept us from helping, by what it was, whose it was and the minutes it took, the heaviest first.

With it goes how we made things worse by the way we treated customers, by kind. It never says who did.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Integer,
    SmallInteger,
    Subquery,
    Text,
    Uuid,
    case,
    func,
    select,
)

from domain.kinds import Fact
from projections.amounts import Amount
from projections.base import Instant, Key, Projection, Row, Source, position_column, projection_table
from projections.period import Period, Report
from projections.stakes import Stakes, stakes

obstacles = projection_table(
    "obstacles",
    position_column(),
    Column("obstacle_id", Uuid, nullable=False),
    Column("recovery_id", Uuid),
    Column("kind", Text, nullable=False),
    Column("mode", Text),
    Column("whose", Text),
    Column("rule_id", Text),
    Column("hardness", Text),
    Column("tool_id", Text),
    Column("topic", Text),
    Column("minutes_lost", BigInteger),
    Column("occurred_at", Instant, nullable=False),
    Column("week", Integer, nullable=False),
    key=("position",),
)
"""One row per obstacle met. `week` counts whole weeks since Monday 5 January 1970, in UTC."""

obstacle_removals = projection_table(
    "obstacle_removals",
    position_column(),
    Column("obstacle_id", Uuid, nullable=False),
    Column("how", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per obstacle that was got out of the way."""

treatments = projection_table(
    "treatments",
    position_column(),
    Column("recovery_id", Uuid),
    Column("treatment", Text, nullable=False),
    Column("degree", SmallInteger, nullable=False),
    Column("witnessed", Text, nullable=False),
    Column("after_resolution", Boolean, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per report of poor treatment: what was done. Not by whom, nor whether anybody was named."""

SECTIONS: Final = ("kind", "tool_id", "whose", "topic", "mode")
_FIRST_MONDAY: Final = 719_167
"""Monday 5 January 1970 as a day counted from the year 1."""


class Obstacles(Projection):
    """What stood in the way of whoever wanted to help, and poor treatment."""

    name = "obstacles"
    version = 1
    topics = frozenset(("obstacle.encountered", "obstacle.removed", "treatment.reported"))
    tables = (obstacles, obstacle_removals, treatments)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for an obstacle, for its removal, or for a report of poor treatment."""
        made = _ROWS.get(fact.event.TOPIC)
        if made is None:
            return {}
        table, columns = made
        said = vars(fact.event)
        row = {"position": fact.position, "occurred_at": fact.occurred_at} | {name: said[name] for name in columns}
        if table == "obstacles":
            row["week"] = (fact.occurred_at.date().toordinal() - _FIRST_MONDAY) // 7
        return {(table, fact.position): row}


_ABOUT: Final = ("kind", "mode", "whose", "rule_id", "hardness", "tool_id", "topic", "minutes_lost")
_ROWS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "obstacle.encountered": ("obstacles", ("obstacle_id", "recovery_id", *_ABOUT)),
    "obstacle.removed": ("obstacle_removals", ("obstacle_id", "how")),
    "treatment.reported": (
        "treatments",
        ("recovery_id", "treatment", "degree", "witnessed", "after_resolution"),
    ),
}
"""For each kind of event the table, and the fields that are copied."""


class ObstacleBar(BaseModel):
    """One bar of a Pareto: how many there were, what they cost, and what share of all is reached with it."""

    key: str
    n: int
    minutes: int
    """Minutes lost, of those obstacles whose minutes somebody told."""
    minutes_known: int
    """Of how many the minutes are known."""
    still_open: int
    cumulative: float
    """The share of all minutes lost (of all obstacles, where no minutes are known) up to and with this bar."""
    at_risk_estimate: list[Amount]
    """What may be lost of a year's revenue of the customers who met it, in each currency. Whoever met several
    things counts with each of them: bars do not add up."""


class TreatmentBar(BaseModel):
    """One kind of poor treatment: how often, how grave, before whom."""

    key: str
    n: int
    grave: int
    """Of degree 3."""
    after_resolution: int
    witnessed: dict[str, int]
    """How often before nobody, before some, before the public."""
    cumulative: float


class ObstacleReport(Report):
    """Paretos of the obstacles (`n`): by what they were, by tool, by whose they were, by topic, by mode.

    In each the heaviest in minutes come first, then the most frequent. What was not said is left out, so the
    bars by tool, whose, topic and mode may be fewer than all.
    """

    minutes: int
    minutes_known: int
    still_open: int
    at_risk_estimate: list[Amount]
    """Of all customers who met any of them, each once."""
    kind: list[ObstacleBar]
    tool_id: list[ObstacleBar]
    whose: list[ObstacleBar]
    topic: list[ObstacleBar]
    mode: list[ObstacleBar]
    treatments_n: int
    treatments: list[TreatmentBar]


def report(source: Source, period: Period, then: int = 0) -> ObstacleReport:
    """The obstacles met in this period, and the poor treatment reported in it.

    `then` is the position the ledger had come to half a year before `as_of`: what happened since tells how many
    leave.
    """
    found = met(source, period)
    who = {name: who_met(source, found, name) for name in SECTIONS}
    everybody = set().union(*who["kind"].values())
    stake = stakes(source, period, then, everybody)
    sections = {name: _bars(_obstacles_by(source, period, name), who[name], stake) for name in SECTIONS}
    treated = _treatment_bars(_treatments(source, period))
    of_all = sections["kind"]
    return ObstacleReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=sum(bar.n for bar in of_all),
        minutes=sum(bar.minutes for bar in of_all),
        minutes_known=sum(bar.minutes_known for bar in of_all),
        still_open=sum(bar.still_open for bar in of_all),
        at_risk_estimate=stake.of(everybody),
        **sections,
        treatments_n=sum(bar.n for bar in treated),
        treatments=treated,
    )


def met(source: Source, period: Period) -> Subquery:
    """The obstacles of this period, each with `how` it was got out of the way; None while it stands.

    An id may be used again once its obstacle is gone: the first removal after it is the one.
    """
    gone = obstacle_removals.c
    removal = (
        select(gone.how)
        .where(
            *source.of(Obstacles, obstacle_removals),
            gone.stream_id == obstacles.c.stream_id,
            gone.obstacle_id == obstacles.c.obstacle_id,
            gone.position > obstacles.c.position,
            gone.occurred_at <= period.as_of,
        )
        .order_by(gone.position)
        .limit(1)
        .scalar_subquery()
    )
    query = select(obstacles, removal.label("how"))
    return query.where(*source.of(Obstacles, obstacles), *period.of(obstacles.c.occurred_at)).subquery()


def counted(found: Subquery) -> tuple[ColumnElement[int], ...]:
    """What is counted of obstacles: `n`, `minutes`, `minutes_known` and `still_open`."""
    of = found.c
    return (
        func.count().label("n"),
        func.coalesce(func.sum(of.minutes_lost), 0).label("minutes"),
        func.count(of.minutes_lost).label("minutes_known"),
        _many(of.how.is_(None)).label("still_open"),
    )


def _many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _obstacles_by(source: Source, period: Period, name: str) -> Sequence[Row]:
    found = met(source, period)
    of = found.c[name]
    query = select(of.label("key"), *counted(found)).where(of.is_not(None)).group_by(of)
    return [row._asdict() for row in source.conn.execute(query)]


def who_met(source: Source, found: Subquery, name: str) -> dict[str | None, set[UUID]]:
    """The customers who met them, by this column."""
    who: dict[str | None, set[UUID]] = {}
    for key, stream_id in source.conn.execute(select(found.c[name], found.c.stream_id).distinct()):
        who.setdefault(key, set()).add(stream_id)
    return who


def _bars(rows: Sequence[Row], who: Mapping[str | None, set[UUID]], stake: Stakes) -> list[ObstacleBar]:
    ordered = sorted(rows, key=lambda row: (-int(row["minutes"]), -row["n"], row["key"]))
    weighed = "minutes" if any(row["minutes"] for row in rows) else "n"
    shares = cumulative(int(row[weighed]) for row in ordered)
    return [
        ObstacleBar.model_validate(
            {
                **row,
                "minutes": int(row["minutes"]),
                "cumulative": share,
                "at_risk_estimate": stake.of(who[row["key"]]),
            }
        )
        for row, share in zip(ordered, shares, strict=True)
    ]


def cumulative(weights: Iterable[int]) -> list[float]:
    """The share of all that each weight and those before it make up, to four decimals."""
    given = list(weights)
    total = sum(given)
    return [round(sum(given[: nth + 1]) / total, 4) for nth in range(len(given))]


def _treatments(source: Source, period: Period) -> Sequence[Row]:
    of = treatments.c
    query = (
        select(
            of.treatment.label("key"),
            func.count().label("n"),
            _many(of.degree == 3).label("grave"),
            _many(of.after_resolution).label("after_resolution"),
            *(_many(of.witnessed == one).label(one) for one in ("none", "some", "public")),
        )
        .where(*source.of(Obstacles, treatments), *period.of(of.occurred_at))
        .group_by(of.treatment)
    )
    return [row._asdict() for row in source.conn.execute(query)]


def _treatment_bars(rows: Sequence[Row]) -> list[TreatmentBar]:
    ordered = sorted(rows, key=lambda row: (-row["n"], row["key"]))
    shares = cumulative(row["n"] for row in ordered)
    return [
        TreatmentBar.model_validate(
            {**row, "witnessed": {one: row[one] for one in ("none", "some", "public")}, "cumulative": share}
        )
        for row, share in zip(ordered, shares, strict=True)
    ]
