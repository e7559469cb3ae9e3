"""Clocks: every time we promised ourselves to keep, how it ended, and who told the other first.

What reports about them ask is in `deadlines` and `told_first`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Text, Uuid

from domain.kinds import Event, Fact
from projections.base import Instant, Key, Projection, Row, position_column, projection_table, said


def _run_columns() -> tuple[Column[Any], ...]:
    return (
        position_column(),
        Column("recovery_id", Uuid, nullable=False),
        Column("step", Text, nullable=False),
        Column("started_at", Instant, nullable=False),
        Column("due_at", Instant),
        Column("from_source", Boolean, nullable=False),
        Column("missed_at", Instant),
    )


clocks_running = projection_table("clocks_running", *_run_columns(), key=("recovery_id", "step"))
"""One row per clock of a step that is not done yet, whether or not its time has run out."""

clocks_stopped = projection_table(
    "clocks_stopped",
    *_run_columns(),
    Column("stopped_at", Instant, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("told_first", Boolean, nullable=False),
    Column("minutes", BigInteger, nullable=False),
    Column("percent", BigInteger),
    key=("position", "recovery_id", "step"),
)
"""One row per clock that was stopped: because the step was `done`, or because nothing was due any more.

`minutes`: from the start to the stop; `percent`: of the time that was allowed. `told_first`: stopped by telling
the customer before he asked.
"""

tellings = projection_table(
    "tellings",
    position_column(),
    Column("recovery_id", Uuid, nullable=False),
    Column("detection", Text, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("told_at", Instant),
    Column("asked_at", Instant),
    key=("recovery_id",),
)
"""One row per failure that we noticed ourselves: when we told the customer, or when he came to us before that."""

MARKS: Final = frozenset(
    ("failure.reported", "deadline.set", "deadline.moved", "deadline.missed", "step.waived", "recovery.closed")
    + ("recovery.reopened", "personal_data.erased", "customer.contacted_again", "satisfaction.stated")
    + ("recovery.acknowledged", "apology.made", "customer.updated", "remedy.started", "remedy.delivered")
    + ("request.refused", "offer.turned_down", "compensation.delivered", "recovery.resolved")
    + ("follow_up.attempted", "follow_up.completed")
)  # fmt: skip
"""The kinds of events that start, move or stop a clock, or by which one side told the other first."""


class Clocks(Projection):
    """Every clock that ran, how it ended, and who spoke first where we noticed the failure."""

    name = "clocks"
    version = 1
    topics = MARKS
    tables = (clocks_running, clocks_stopped, tellings)
    loaded = (clocks_running, tellings)

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """The clocks that this fact starts, moves or stops."""
        event: Any = fact.event
        topic = event.TOPIC
        if topic not in MARKS:
            return {}
        if topic == "failure.reported":
            return _found(fact)
        if topic.startswith("deadline."):
            return _ticked(rows, fact)
        if topic in ("recovery.closed", "recovery.reopened", "personal_data.erased"):
            return _stopped(_running(rows, said(event, "recovery_id")), fact, done=False)
        if topic == "step.waived":
            return _stopped(_running(rows, event.recovery_id, event.step), fact, done=False)
        return _spoken(rows, fact)


def steps_done(event: Any, *, found_by_us: bool) -> tuple[str, ...]:
    """The steps whose clocks this event stops because they are done, as the moves themselves stop them."""
    match event.TOPIC:
        case "recovery.acknowledged":
            return ("acknowledge",) if event.human else ()
        case "apology.made":
            return () if event.said == "none" else ("acknowledge",)
        case "customer.updated":
            told = found_by_us and event.kind == "proactive" and event.two_way
            return (*(("update",) if event.human else ()), *(("acknowledge",) if told else ()))
        case "remedy.started":
            return ("first_action",)
        case "remedy.delivered":
            return ("first_action",) if event.resolves == "none" else ("first_action", "remedy")
        case "request.refused":
            return ("remedy",)
        case "offer.turned_down":
            return ("remedy",) if event.remedy_id is not None else ("compensation",)
        case "compensation.delivered":
            return ("compensation", "first_action")
        case "recovery.resolved":
            return ("acknowledge", "first_action", "remedy", "update")
        case "follow_up.attempted" | "follow_up.completed":
            return ("follow_up",)
        case "satisfaction.stated":
            return () if event.value is None else ("follow_up",)
    return ()


def _found(fact: Fact) -> dict[Key, Row | None]:
    event: Any = fact.event
    if event.detection == "customer_reported":
        return {}
    row = {
        "position": fact.position,
        "recovery_id": event.recovery_id,
        "detection": event.detection,
        "found_at": fact.occurred_at,
        "told_at": None,
        "asked_at": None,
    }
    return {("tellings", event.recovery_id): row}


def _ticked(rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
    """What `deadline.set`, `deadline.moved` or `deadline.missed` makes of a clock."""
    event: Any = fact.event
    key = ("clocks_running", event.recovery_id, event.step)
    row = rows.get(key)
    if event.TOPIC == "deadline.set":
        replaced = {} if row is None else _stopped({key: row}, fact, done=False)
        return {**replaced, key: _started(fact, event.due_at, from_source=not event.fires)}
    if event.TOPIC == "deadline.moved":
        return {} if row is None else {key: {**row, "due_at": event.due_at}}
    # An importer may know of a miss alone, not of the time that was promised.
    began = _started(fact, event.due_at, from_source=True) if row is None else row
    return {key: {**began, "missed_at": fact.occurred_at}}


def _started(fact: Fact, due_at: Any, *, from_source: bool) -> dict[str, Any]:
    event: Any = fact.event
    return {
        "position": fact.position,
        "recovery_id": event.recovery_id,
        "step": event.step,
        "started_at": fact.occurred_at,
        "due_at": due_at,
        "from_source": from_source,
        "missed_at": None,
    }


def _spoken(rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
    """The clocks that this fact stops, and whether it told the customer first, or he us."""
    event: Any = fact.event
    telling = rows.get(("tellings", event.recovery_id))
    steps = steps_done(event, found_by_us=telling is not None)
    silent = telling is not None and telling["told_at"] is None and telling["asked_at"] is None
    told = silent and "acknowledge" in steps
    changes = (
        _stopped(_running(rows, event.recovery_id, *steps), fact, done=True, told_first=told) if steps else {}
    )
    if telling is not None and silent and (told or _asked(event)):
        moment = "told_at" if told else "asked_at"
        changes["tellings", event.recovery_id] = {**telling, moment: fact.occurred_at}
    return changes


def _asked(event: Event) -> bool:
    """Whether the customer came to us of his own accord."""
    unasked = event.TOPIC == "satisfaction.stated" and not said(event, "solicited")
    return unasked or event.TOPIC == "customer.contacted_again"


def _running(rows: Mapping[Key, Row], recovery_id: Any, *steps: str) -> dict[Key, Row]:
    """The running clocks of these steps, or of all; of this recovery, or of all."""
    if steps:
        keys: list[Key] = [("clocks_running", recovery_id, step) for step in steps]
        return {key: rows[key] for key in keys if key in rows}
    return {key: row for key, row in rows.items() if key[0] == "clocks_running" and recovery_id in (None, key[1])}


def _stopped(
    clocks: Mapping[Key, Row], fact: Fact, *, done: bool, told_first: bool = False
) -> dict[Key, Row | None]:
    changes: dict[Key, Row | None] = dict.fromkeys(clocks)
    for row in clocks.values():
        first = told_first and row["step"] == "acknowledge"
        stop = {"stopped_at": fact.occurred_at, "done": done, "told_first": first, **_taken(row, fact)}
        changes["clocks_stopped", row["position"], row["recovery_id"], row["step"]] = {**row, **stop}
    return changes


def _taken(row: Row, fact: Fact) -> dict[str, int | None]:
    # Told late, a stop may lie before its start: that counts as no time at all.
    taken = max(fact.occurred_at - row["started_at"], timedelta())
    allowed = timedelta() if row["due_at"] is None else row["due_at"] - row["started_at"]
    percent = taken * 100 // allowed if allowed > timedelta() else None
    return {"minutes": taken // timedelta(minutes=1), "percent": percent}
