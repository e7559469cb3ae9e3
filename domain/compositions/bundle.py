"""Bundle: several commands on one relationship in one append; how importers tell a whole case at once."""

from typing import ClassVar

from pydantic import InstanceOf

from domain.kinds import Context, Elsewhere, Event, looking_ahead
from domain.relationship import Relationship, RelationshipCommand, foreseen


class Bundle(RelationshipCommand):
    """Commands decided one after the other, each seeing what the ones before it will record; all or nothing."""

    OPENS: ClassVar[bool] = True
    PATH: ClassVar[str] = "bundle"

    commands: tuple[InstanceOf[RelationshipCommand], ...]

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        followed: list[Event | Elsewhere] = []
        for command in self.commands:
            decided = command.decide(state, at)
            state, at = foreseen(state, decided, at), looking_ahead(at, decided)
            followed += decided
        return followed
