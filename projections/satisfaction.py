"""Satisfaction: how content each customer is, why we think so, and how sure we are.

The customer's own word stands beside what we infer; every change of the score is one term with its event.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, ClassVar, Final, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import BigInteger, Boolean, Column, Integer, SmallInteger, Table, Text, Uuid, select

from domain.kinds import Fact
from domain.relationship import RelationshipEvent
from domain.satisfaction import MODEL, START, START_TOTAL, RecoveryScore, Score, Stated, Term, step
from projections.base import (
    Folded,
    Instant,
    Key,
    Projection,
    Row,
    Source,
    derived,
    fold,
    position_column,
    projection_table,
    replaced,
    said,
)
from projections.recoveries import coverage_of, percent
from projections.recovery_cases import Status
from projections.recovery_rows import STREAM, Recoveries, recovery_streams

Confidence = Literal["high", "medium", "low"]
CERTAIN_FOR: Final = timedelta(days=90)
FAIRLY_CERTAIN_FOR: Final = timedelta(days=365)
WELL_COVERED: Final = 70
"""So much of the steps that were due, in percent, lets us believe what we infer."""


satisfaction_state = projection_table(
    "satisfaction_state",
    *derived(
        position_column(),
        Column("version", BigInteger, nullable=False),
        Column("score", Integer, nullable=False),
        Column("band", Text, nullable=False),
        Column("basis", Text, nullable=False),
        Column("stated", Integer),
        Column("instrument", Text),
        Column("stated_at", Instant),
        Column("failures_since_stated", Integer, nullable=False),
        Column("baseline", Integer, nullable=False),
        Column("failed_again", Integer, nullable=False),
        Column("paradox", Boolean, nullable=False),
        Column("plausible", Boolean, nullable=False),
    ),
    Column("fold", Folded(Score), nullable=False),
)
"""One row per customer. Scores are hundredths of a point."""

satisfaction_recoveries = projection_table(
    "satisfaction_recoveries",
    Column("recovery_id", Uuid, nullable=False),
    Column("kept", Folded(RecoveryScore), nullable=False),
    key=("recovery_id",),
)
"""One row per recovery: what the score must know of it. Apart, so that a fact writes only what it changed."""

satisfaction_terms = projection_table(
    "satisfaction_terms",
    position_column(),
    Column("ordinal", SmallInteger, nullable=False),
    Column("label", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("recovery_id", Uuid),
    Column("error", Integer),
    Column("withheld", Boolean, nullable=False),
    key=("position", "ordinal"),
)
"""Every change of every score, by the position of its event. `error`: how wrong we were before the customer spoke.

`withheld` terms come from reports about a named colleague: the sum shows them, without saying what they were.
"""

_STATE: Final[Key] = ("satisfaction_state",)
_RECOVERY: Final = "satisfaction_recoveries"


class SatisfactionState(Projection):
    """The score of each customer, and its terms."""

    name = "satisfaction"
    version = 2
    tables = (satisfaction_state, satisfaction_recoveries, satisfaction_terms)
    loaded = (satisfaction_state, satisfaction_recoveries)
    volatile: ClassVar[Mapping[str, tuple[str, ...]]] = {"satisfaction_state": ("position", "version")}

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """The new score, and a row for every term of this fact."""
        if not isinstance(fact.event, RelationshipEvent):
            return {}
        row = rows.get(_STATE)
        before = START if row is None else _whole(row, rows)
        score, terms = step(before, fact)
        changes: dict[Key, Row | None] = {
            _STATE: {"whole": score, "position": fact.position, "version": fact.version}
        }
        for recovery_id, recovery in replaced(before.recoveries, score.recoveries):
            changes[_RECOVERY, recovery_id] = {"recovery_id": recovery_id, "kept": recovery}
        if terms:
            error = score.stated.error if score.stated and score.stated is not before.stated else None
            for ordinal, term in enumerate(terms):
                changes["satisfaction_terms", fact.position, ordinal] = _term_row(fact, ordinal, term, error)
        return changes

    def stored(self, key: Key, row: Row) -> Row:
        """The score with everything that can be asked of it."""
        return row if key != _STATE else _state_row(row)

    def only_volatile(self, key: Key, before: Row, row: Row) -> Row | None:
        """How far a score has come that the facts since have not moved."""
        known: Score | None = before.get("whole")
        if known is not row["whole"] and (known is None or _said(known) != _said(row["whole"])):
            return None
        return {"position": row["position"], "version": row["version"]}


_said: Final = attrgetter(*(one.name for one in fields(Score) if one.name != "recoveries"), "failed_again")
"""All that the row of a score says: its recoveries have rows of their own."""


def _whole(row: Row, rows: Mapping[Key, Row]) -> Score:
    """The score with every recovery; put together once, when the rows come from the database."""
    if "whole" in row:
        whole: Score = row["whole"]
        return whole
    kept = {one["recovery_id"]: one["kept"] for key, one in rows.items() if key[0] == _RECOVERY}
    score: Score = row["fold"]
    # Rows come in any order: nothing may depend on it.
    return score.but(recoveries=dict(sorted(kept.items())))


def _term_row(fact: Fact, ordinal: int, term: Term, error: int | None) -> Row:
    return {
        "position": fact.position,
        "ordinal": ordinal,
        "label": term.label,
        "change": term.change,
        "total": term.total,
        "event_id": fact.event_id,
        "recovery_id": said(fact.event, "recovery_id"),
        "error": error,
        "withheld": said(fact.event, "by_colleague") is not None,
    }


def _state_row(row: Row) -> Row:
    score: Score = row["whole"]
    return {
        "fold": score.but(recoveries={}),
        "position": row["position"],
        "version": row["version"],
        "score": score.shown,
        "band": score.band,
        "basis": score.basis,
        **_word(score.stated),
        "failures_since_stated": score.failures_since_stated,
        "baseline": score.baseline,
        "failed_again": score.failed_again,
        "paradox": score.paradox,
        "plausible": score.plausible,
    }


def _word(stated: Stated | None) -> dict[str, Any]:
    if stated is None:
        return {"stated": None, "instrument": None, "stated_at": None}
    return {"stated": stated.value, "instrument": stated.instrument, "stated_at": stated.at}


class Satisfaction(BaseModel):
    """How content a customer is. Scores are hundredths of a point, 0 to 9500; 7000 is where everybody starts."""

    customer_id: UUID
    model: str = MODEL
    score: int
    band: str
    basis: str
    """`stated` while the customer's word was the last thing that moved the score; else `inferred`, or `prior`."""
    stated: int | None
    instrument: str | None
    stated_at: datetime | None
    baseline: int
    coverage: int | None
    failed_again: int
    paradox: bool
    plausible: bool
    open_recoveries: int | None
    status: Status | None
    """None, as `open_recoveries`, while the read model of recoveries is built for the first time."""
    confidence: Confidence
    version: int
    position: int


class ExplainedTerm(BaseModel):
    """One change of the score: what happened, by how much, and the unbounded sum after it, in hundredths."""

    position: int
    ordinal: int
    label: str
    change: int
    total: int
    event_id: UUID | None
    recovery_id: UUID | None


class Explanation(BaseModel):
    """The whole sum: `start` and every term; the last `total`, kept between 0 and 9500, is the score."""

    customer_id: UUID
    model: str = MODEL
    start: int = START_TOTAL
    terms: list[ExplainedTerm]


def of_customer(source: Source, customer_id: UUID, as_of: datetime) -> Satisfaction | None:
    """How content this customer is; None when nothing is recorded of him. `as_of` decides only the confidence."""
    return of_customers(source, [customer_id], as_of).get(customer_id)


def of_customers(source: Source, customer_ids: Collection[UUID], as_of: datetime) -> dict[UUID, Satisfaction]:
    """The same of each of these customers, looked up together; nothing for those nobody has heard of."""
    # Not joined: PostgreSQL read all of one table for each row of the other, until it had statistics of both.
    states = _rows(source, SatisfactionState, satisfaction_state, customer_ids)
    cases = _rows(source, Recoveries, recovery_streams, customer_ids)
    covered = coverage_of(source, customer_ids)
    return {
        one: shown(one, {**cases.get(one, NO_CASES), **state, "coverage": covered.get(one)}, as_of)
        for one, state in states.items()
    }


def _rows(
    source: Source, projection: type[Projection], table: Table, customer_ids: Collection[UUID]
) -> dict[UUID, Row]:
    """What a look shows of these customers' rows in this table."""
    query = select(table.c.stream_id, *asked_of(table))
    rows = source.conn.execute(query.where(*source.of(projection, table), table.c.stream_id.in_(customer_ids)))
    return {row.stream_id: row._asdict() for row in rows}


def asked_of(table: Table) -> list[Column[Any]]:
    """The columns of a table that `shown` needs."""
    return [column for column in table.c if column.name in _ASKED]


def of_facts(customer_id: UUID, facts: Sequence[Fact], as_of: datetime) -> Satisfaction | None:
    """The same, folded from these facts alone: how content he was then."""
    row = fold(SatisfactionState(), facts).get(_STATE)
    cases = fold(Recoveries(), facts)
    if row is None or STREAM not in cases:
        return None
    one_by_one = [case for key, case in cases.items() if key != STREAM]
    covered, due = (sum(case[name] for case in one_by_one) for name in ("steps_covered", "steps_due"))
    return shown(customer_id, {**cases[STREAM], **row, "coverage": percent(covered, due)}, as_of)


def explain(source: Source, customer_id: UUID) -> Explanation:
    """Every term of this customer's score, in order."""
    table = satisfaction_terms
    rows = source.conn.execute(
        select(table)
        .where(*source.of(SatisfactionState, table), table.c.stream_id == customer_id)
        .order_by(table.c.position, table.c.ordinal)
    )
    return Explanation(customer_id=customer_id, terms=[_explained(row._asdict()) for row in rows])


def explain_facts(customer_id: UUID, facts: Iterable[Fact]) -> Explanation:
    """The same, folded from these facts alone."""
    rows = fold(SatisfactionState(), facts)
    terms = [_explained(row) for key, row in rows.items() if key[0] == satisfaction_terms.name]
    return Explanation(customer_id=customer_id, terms=terms)


_ASKED: Final = frozenset(Satisfaction.model_fields) | {"failures_since_stated"}
NO_CASES: Final[Row] = {column.name: None for column in recovery_streams.c if column.name in _ASKED}
"""What stands for the row about a customer's recoveries where there is none yet."""


def shown(customer_id: UUID, row: Row, as_of: datetime) -> Satisfaction:
    """What is shown of a customer at this moment, of a row with the columns `asked_of` both tables."""
    given = {name: row[name] for name in Satisfaction.model_fields if name in row}
    return Satisfaction(customer_id=customer_id, confidence=_confidence(row, as_of), **given)


def _confidence(row: Row, as_of: datetime) -> Confidence:
    age = None if row["stated_at"] is None else as_of - row["stated_at"]
    if age is not None and age <= CERTAIN_FOR and not row["failures_since_stated"]:
        return "high"
    if age is not None and age <= FAIRLY_CERTAIN_FOR:
        return "medium"
    return "medium" if (row["coverage"] or 0) >= WELL_COVERED else "low"


def _explained(row: Row) -> ExplainedTerm:
    given = {name: row[name] for name in ExplainedTerm.model_fields}
    # What is said about a named colleague is his alone and the personnel department's; the sum must still add up.
    hidden = {"label": "withheld", "event_id": None, "recovery_id": None} if row["withheld"] else {}
    return ExplainedTerm.model_validate({**given, **hidden})
