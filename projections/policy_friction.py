"""Policy friction: which of our own rules stood in the way, how often, for how long, and what helped."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Subquery, case, func, or_, select

from domain.publishing import Publication, in_force
from domain.standards.house import House
from domain.values import LATEST
from projections.amounts import Amount
from projections.base import Row, Source
from projections.obstacles import counted, met, who_met
from projections.period import Period, Report
from projections.reviews import reviews_due
from projections.stakes import stakes

_FIRST_MONDAY: Final = date(1970, 1, 5)
HOWS: Final = {"rule_overridden": "overrides", "workaround": "workarounds", "fixed": "fixes"}
"""How a block was got around, and the name under which that is counted."""


class Week(BaseModel):
    """How often a rule blocked in the week that began on this Monday (UTC); weeks without a block are left out."""

    week: date
    blocks: int


class RuleFriction(BaseModel):
    """What one rule cost. `rule_id` is None for blocks of which nobody said which rule it was."""

    rule_id: str | None
    blocks: int
    minutes: int
    """Minutes lost, of those blocks whose minutes somebody told."""
    minutes_known: int
    hardness: str | None
    """As the reporters last called it: soft, system or hard; None where nobody did."""
    overrides: int
    workarounds: int
    fixes: int
    still_open: int
    forces_failure_first: bool
    """By the standard in force at `as_of`: it lets a failure happen before anybody may help."""
    review_due_at: datetime | None
    """By when its owner should look at it: 14 days after five blocks. None before that, and once he did."""
    at_risk_estimate: list[Amount]
    """What may be lost of a year's revenue of the customers it blocked, in each currency."""
    per_week: list[Week]


class FrictionReport(Report):
    """Our own rules as obstacles (`n` blocks).

    Those that let a failure happen before anybody may help come first, then those that somebody should look at, by
    when; then those that cost most minutes, then the most frequent. `failures_foreseen`: the blocks by rules of
    the first sort, each of which says beforehand what will fail.
    """

    failures_foreseen: int
    rules: list[RuleFriction]


def report(
    source: Source,
    period: Period,
    published: Sequence[Publication] = (),
    then: int = 0,
    *,
    forces_failure: bool | None = None,
) -> FrictionReport:
    """The blocks met in this period, by the rule behind them. `published` tells who looked at which rule.

    `then` is the position the ledger had come to half a year before `as_of`. With `forces_failure` only the rules
    that let a failure happen before anybody may help are told of, or only the others.
    """
    house = House.at(period.as_of, in_force(published, period.as_of))
    due = reviews_due(source, published, period.as_of)
    blocks = _blocks(source, period)
    weeks, hardness = _weeks(source, blocks), _hardness(source, blocks)
    who = who_met(source, blocks, "rule_id")
    stake = stakes(source, period, then, set().union(*who.values()))
    rules = [
        RuleFriction(
            **{**row, "minutes": int(row["minutes"])},
            hardness=hardness.get(row["rule_id"]),
            forces_failure_first=house.rule(row["rule_id"]).body.forces_failure_first,
            review_due_at=due.get(row["rule_id"]),
            at_risk_estimate=stake.of(who[row["rule_id"]]),
            per_week=weeks[row["rule_id"]],
        )
        for row in _by_rule(source, blocks)
    ]
    rules = [one for one in rules if forces_failure in (None, one.forces_failure_first)]
    # Those without a rule come last: nobody can be asked to answer for them.
    rules.sort(key=_urgent_first)
    return FrictionReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=sum(one.blocks for one in rules),
        failures_foreseen=sum(one.blocks for one in rules if one.forces_failure_first),
        rules=rules,
    )


def _urgent_first(one: RuleFriction) -> tuple[bool, bool, bool, datetime, int, int, str]:
    due = one.review_due_at
    urgency = one.rule_id is None, not one.forces_failure_first, due is None, due or LATEST
    return *urgency, -one.minutes, -one.blocks, one.rule_id or ""


def _blocks(source: Source, period: Period) -> Subquery:
    found = met(source, period)
    blocked = or_(found.c.kind == "policy_block", found.c.rule_id.is_not(None))
    return select(found).where(blocked).subquery()


def _by_rule(source: Source, blocks: Subquery) -> Sequence[Row]:
    n, *others = counted(blocks)
    hows = (_many(blocks.c.how == how).label(name) for how, name in HOWS.items())
    query = select(blocks.c.rule_id, n.label("blocks"), *others, *hows).group_by(blocks.c.rule_id)
    return [row._asdict() for row in source.conn.execute(query)]


def _many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _weeks(source: Source, blocks: Subquery) -> dict[str | None, list[Week]]:
    of = blocks.c
    query = select(of.rule_id, of.week, func.count().label("n")).group_by(of.rule_id, of.week).order_by(of.week)
    weeks: dict[str | None, list[Week]] = {}
    for row in source.conn.execute(query):
        monday = _FIRST_MONDAY + timedelta(weeks=row.week)
        weeks.setdefault(row.rule_id, []).append(Week(week=monday, blocks=row.n))
    return weeks


def _hardness(source: Source, blocks: Subquery) -> dict[str | None, str]:
    of = blocks.c
    last = func.row_number().over(partition_by=of.rule_id, order_by=of.position.desc()).label("nth_last")
    named = select(of.rule_id, of.hardness, last).where(of.hardness.is_not(None)).subquery()
    query = select(named.c.rule_id, named.c.hardness).where(named.c.nth_last == 1)
    return {row.rule_id: row.hardness for row in source.conn.execute(query)}
