"""Forgetting: after a time nobody can read any more whom a report of poor treatment named."""

from typing import ClassVar
from uuid import UUID

from domain.kinds import Context, Event, Fact
from domain.recovery import Recovery
from domain.relationship import Relationship, RelationshipCommand, RelationshipEvent
from domain.values import Count


class ColleagueNameErased(RelationshipEvent, topic="colleague_name.erased"):
    """Whom a report named is erased: its key is destroyed. It follows from the time; nobody posts it."""

    FOR_CUSTOMER: ClassVar[bool] = False
    FOR_PERSONNEL: ClassVar[bool] = True

    positions: tuple[Count, ...]
    """The report, and the answers to it."""
    key_ids: tuple[UUID, ...]
    """The keys that sealed whom they name, as their headers have them."""

    def forgets(self) -> tuple[int, ...]:
        return self.positions

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        gone = frozenset(self.positions)
        changed = {one: _without(recovery, gone) for one, recovery in state.recoveries.items()}
        return state.but(recoveries=changed, treatments=_others(state.treatments, gone))


class EraseColleagueName(RelationshipCommand):
    """Erase whom a report of poor treatment names. Only the clock gives this order: it has no address."""

    positions: tuple[Count, ...]
    key_ids: tuple[UUID, ...]

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        # Of a customer who was forgotten too: it is another's name that is kept there.
        return [ColleagueNameErased(positions=self.positions, key_ids=self.key_ids)]


def _without(recovery: Recovery, gone: frozenset[int]) -> Recovery:
    if gone.isdisjoint(recovery.treatments):
        return recovery
    return recovery.but(treatments=_others(recovery.treatments, gone))


def _others(positions: tuple[int, ...], gone: frozenset[int]) -> tuple[int, ...]:
    return tuple(one for one in positions if one not in gone)
