"""Answers: what became of the help that colleagues asked for, and how soon."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from domain.loyalty import shown, summable
from domain.rates import Spread, spread
from projections.base import Source
from projections.period import Period
from projections.training_rows import Training, help_moves, help_requests

DAY: Final = timedelta(days=1)


class HelpFigures(BaseModel):
    """What became of `n` requests for help. `escalated`: nobody had answered in time, whatever came after."""

    kind: str | None
    n: int
    open: int
    planned: int
    refused: int
    escalated: int
    days_to_answer: Spread


def answers(source: Source, period: Period) -> dict[str, Any]:
    """What became of the requests of the period, of all together and by kind."""
    asked = _asked(source, period)
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for one in asked:
        kinds.setdefault(one["kind"], []).append(one)
    asking = {kind: {one["stream_id"] for one in some} for kind, some in kinds.items()}
    kept = shown(asking)
    return {
        "help": _figures(None, asked) if summable(asking, kept) else None,
        "help_by_kind": [_figures(kind, kinds[kind]) for kind in sorted(kept)],
        "hidden_kinds": len(kinds) - len(kept),
    }


def _asked(source: Source, period: Period) -> list[dict[str, Any]]:
    """The requests of the period, each with what became of it."""
    of, moved = help_requests.c, help_moves.c
    asked = select(of.stream_id, of.help_id, of.kind, of.occurred_at).where(
        *source.of(Training, help_requests), *period.of(of.occurred_at)
    )
    moves = select(moved.stream_id, moved.help_id, moved.move, moved.occurred_at).where(
        *source.of(Training, help_moves), moved.occurred_at <= period.as_of
    )
    became: dict[tuple[UUID, UUID], dict[str, Any]] = {}
    for stream, help_id, move, at in source.conn.execute(moves):
        became.setdefault((stream, help_id), {})[move] = at
    rows = source.conn.execute(asked.order_by(of.position))
    return [{**row._mapping, "became": became.get((row.stream_id, row.help_id), {})} for row in rows]


def _figures(kind: str | None, asked: Sequence[Mapping[str, Any]]) -> HelpFigures:
    moves = Counter(move for one in asked for move in one["became"])
    answered = [
        (at - one["occurred_at"]) / DAY
        for one in asked
        for move, at in one["became"].items()
        if move != "escalated"
    ]
    return HelpFigures(
        kind=kind,
        n=len(asked),
        open=len(asked) - len(answered),
        planned=moves["planned"],
        refused=moves["refused"],
        escalated=moves["escalated"],
        # An answer told late may lie before the question: a duration below zero counts as nothing.
        days_to_answer=spread([max(0.0, days) for days in answered]),
    )
