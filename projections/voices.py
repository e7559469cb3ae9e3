"""Voices: who decided on goodwill, alone or asked, and how long somebody waited for a second voice."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Text, Uuid

from domain.kinds import Fact
from projections.base import Instant, Key, Projection, Row, position_column, projection_table, said

voices = projection_table(
    "voices",
    position_column(),
    Column("recovery_id", Uuid, nullable=False),
    Column("compensation_id", Uuid, nullable=False),
    Column("step", Text, nullable=False),
    Column("role_class", Text, nullable=False),
    Column("decide_by", Instant),
    Column("waited_s", BigInteger),
    Column("in_time", Boolean),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per grant that somebody gave `alone`, per request (`asked`), and per answer to one.

An answer is `approved`, `refused`, or `timed_out`, when nobody had answered and the fallback was granted.
`role_class` is that of whoever spoke.
"""

STEPS: Final[Mapping[str, str]] = {
    "compensation.granted": "alone",
    "compensation.requested": "asked",
    "compensation.approved": "approved",
    "compensation.refused": "refused",
}


class Voices(Projection):
    """Decisions on goodwill."""

    name = "voices"
    version = 1
    topics = frozenset(STEPS)
    tables = (voices,)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for what somebody decided, asked or answered."""
        event: Any = fact.event
        step = STEPS.get(event.TOPIC)
        if step is None or (step == "alone" and not _alone(event)):
            return {}
        row = {
            "position": fact.position,
            "recovery_id": event.recovery_id,
            "compensation_id": event.compensation_id,
            "step": "timed_out" if said(event, "auto") else step,
            "role_class": fact.actor.role_class,
            "decide_by": said(event, "decide_by"),
            "waited_s": said(event, "waited_s"),
            "in_time": said(event, "in_time"),
            "occurred_at": fact.occurred_at,
        }
        return {("voices", fact.position): row}


def _alone(event: Any) -> bool:
    # What counts against nobody's day was somebody else's yes, or is owed by contract or law.
    return event.authority is not None and event.authority.local_day is not None
