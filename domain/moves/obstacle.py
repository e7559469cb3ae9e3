"""Obstacle: what stood in the way of whoever wanted to help. For the house only, never for the customer."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from domain.errors import AlreadyExists, UnknownRef
from domain.kinds import Context, Event, Fact
from domain.relationship import (
    OptionalRecoveryEvent,
    Recovery,
    RecoveryCommand,
    Relationship,
    RelationshipCommand,
    refuse_unknown,
)
from domain.values import Code, Count, ObstacleId, OneOf, Personal, RecoveryId, Words

ObstacleKind = Annotated[
    str,
    OneOf(
        ("poor_communication", "not_listening", "disrespect", "tool_or_equipment", "outdated_data", "no_training")
        + ("overload", "policy_block", "approval_wait", "no_authority", "no_budget", "handoff_loss")
        + ("missing_playbook", "other")
    ),
]
Mode = Literal["action", "inaction"]
Whose = Literal["own_team", "other_team", "management", "supplier", "customer"]
Hardness = Literal["soft", "system", "hard"]
How = Literal["rule_overridden", "workaround", "fixed"]


class ObstacleEncountered(OptionalRecoveryEvent, topic="obstacle.encountered"):
    """Something kept us from helping."""

    FOR_CUSTOMER: ClassVar[bool] = False

    obstacle_id: ObstacleId
    kind: ObstacleKind
    mode: Mode | None = None
    whose: Whose | None = None
    rule_id: Code | None = None
    wanted_action: Personal[Words] | None = None
    hardness: Hardness | None = None
    tool_id: Code | None = None
    topic: Code | None = None
    minutes_lost: Count | None = None

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        if self.recovery_id is None:
            return state.but(obstacles={**state.obstacles, self.obstacle_id: str(self.kind)})
        return super().evolve(state, fact)

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.but(obstacles={**recovery.obstacles, self.obstacle_id: str(self.kind)})


class ReportObstacle(RecoveryCommand, path="report-obstacle", facts=(ObstacleEncountered,)):
    """Report what stood in the way. Only its kind is needed."""

    kind: ObstacleKind
    obstacle_id: ObstacleId | None = None
    mode: Mode | None = None
    whose: Whose | None = None
    rule_id: Code | None = None
    wanted_action: Personal[Words] | None = None
    hardness: Hardness | None = None
    tool_id: Code | None = None
    topic: Code | None = None
    minutes_lost: Count | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        recovery = self.found_if_any(state, at)
        if self.obstacle_id is not None and self.obstacle_id in _places(state):
            raise AlreadyExists("obstacle", self.obstacle_id)
        given = self.model_dump(exclude_none=True, exclude={"about"})
        derived = {
            "recovery_id": recovery.recovery_id if recovery else None,
            "obstacle_id": self.obstacle_id or at.new_id(),
        }
        return [ObstacleEncountered.model_validate(given | derived)]


class ObstacleRemoved(OptionalRecoveryEvent, topic="obstacle.removed"):
    """The way is free again, or a way around was found."""

    FOR_CUSTOMER: ClassVar[bool] = False

    obstacle_id: ObstacleId
    how: How
    reason: Personal[Words]

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        if self.recovery_id is None:
            return state.but(obstacles=_without(state.obstacles, self.obstacle_id))
        return super().evolve(state, fact)

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.but(obstacles=_without(recovery.obstacles, self.obstacle_id))


class RemoveObstacle(RelationshipCommand, path="remove-obstacle", facts=(ObstacleRemoved,)):
    """Record that an obstacle no longer stands in the way, how, and why that was right."""

    obstacle_id: ObstacleId
    how: How
    reason: Personal[Words]

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        places = _places(state)
        if self.obstacle_id not in places:
            raise UnknownRef("open obstacle", self.obstacle_id)
        return [
            ObstacleRemoved(
                recovery_id=places[self.obstacle_id],
                obstacle_id=self.obstacle_id,
                how=self.how,
                reason=self.reason,
            )
        ]


def _places(state: Relationship) -> dict[UUID, RecoveryId | None]:
    """Every open obstacle, with the recovery it belongs to."""
    places: dict[UUID, RecoveryId | None] = dict.fromkeys(state.obstacles)
    for recovery in state.recoveries.values():
        places.update(dict.fromkeys(recovery.obstacles, RecoveryId(recovery.recovery_id)))
    return places


def _without(obstacles: Mapping[UUID, str], gone: UUID) -> dict[UUID, str]:
    return {one: kind for one, kind in obstacles.items() if one != gone}
