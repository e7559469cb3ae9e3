"""Gesture: the small kindness beyond duty, to a customer or to a stranger in need."""

from typing import Annotated

from domain.errors import AlreadyExists
from domain.kinds import Context, Event, Fact
from domain.milestones import opened
from domain.relationship import OptionalRecoveryEvent, RecoveryCommand, Relationship
from domain.values import Count, Degree, GestureId, Money, OneOf

GestureKind = Annotated[
    str, OneOf(("extra_care", "prevention", "unasked_remedy", "surprise", "help_beyond_duty", "other"))
]


class GestureMade(OptionalRecoveryEvent, topic="gesture.made"):
    """Somebody did more than he had to."""

    gesture_id: GestureId
    kind: GestureKind
    degree: Degree = 1
    unasked: bool = True
    cost: Money | None = None
    avoided_contacts: Count = 0
    """How many times the customer need not come because of it."""

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        return super().evolve(state, fact).but(gestures=state.gestures | {self.gesture_id})


class MakeGesture(RecoveryCommand, path="make-gesture", facts=(GestureMade,), opens=True):
    """Record a kindness beyond duty. A stranger becomes a prospect by it."""

    kind: GestureKind
    gesture_id: GestureId | None = None
    degree: Degree = 1
    unasked: bool = True
    cost: Money | None = None
    avoided_contacts: Count = 0

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found_if_any(state, at)
        if self.gesture_id in state.gestures:
            raise AlreadyExists("gesture", self.gesture_id)
        given = self.model_dump(exclude_none=True, exclude={"about", "cost"})
        derived = {
            "recovery_id": recovery.recovery_id if recovery else None,
            "gesture_id": self.gesture_id or at.new_id(),
            "cost": self.cost,
        }
        return [*opened(state, at, "prospect"), GestureMade.model_validate(given | derived)]
