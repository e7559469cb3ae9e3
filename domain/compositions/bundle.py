"""Bundle: several commands on one relationship in one append; how importers tell a whole case at once."""

from itertools import zip_longest
from typing import ClassVar

from pydantic import InstanceOf

from domain.errors import part
from domain.kinds import Context, Elsewhere, Event, looking_ahead
from domain.relationship import Relationship, RelationshipCommand, foreseen


class Bundle(RelationshipCommand):
    """Commands decided one after the other, each seeing what the ones before it will record; all or nothing."""

    OPENS: ClassVar[bool] = True
    PATH: ClassVar[str] = "bundle"

    commands: tuple[InstanceOf[RelationshipCommand], ...]
    parts: tuple[str | None, ...] = ()
    """What the whole calls each of them, where it has names for them."""

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        followed: list[Event | Elsewhere] = []
        for name, command in zip_longest(self.parts, self.commands):
            with part(name):
                decided = command.decide(state, at)
            state, at = foreseen(state, decided, at), looking_ahead(at, decided)
            followed += decided
        return followed
