"""Deciding: what follows from a command, and when from then on silence will be noticed."""

from collections.abc import Sequence

from domain.alarms import timed_anew
from domain.kinds import Aggregate, Command, Context, Elsewhere, Event
from domain.relationship import Relationship, foreseen


def decided(command: Command, state: Aggregate, at: Context) -> Sequence[Event | Elsewhere]:
    """What is recorded of this command, or a refusal raised."""
    found = command.decide(state, at)
    if at.house.runs_as_shipped or not isinstance(state, Relationship):
        return found
    return [*found, *timed_anew(state, foreseen(state, found, at), at)]
