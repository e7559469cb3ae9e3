"""Obstacle: what stood in the way of whoever wanted to help. For the house only, never for the customer."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from domain.errors import AlreadyExists, HardRule, SystemRule, UnknownRef
from domain.kinds import Context, Event, Fact
from domain.recovery import Obstacle, Recovery
from domain.relationship import (
    OptionalRecoveryEvent,
    RecoveryCommand,
    Relationship,
    RelationshipCommand,
    refuse_unknown,
)
from domain.standards.rule import harder
from domain.values import Code, Count, ObstacleId, OneOf, Personal, RecoveryId, Words
from domain.vocabulary import Hardness

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
            return state.but(obstacles={**state.obstacles, self.obstacle_id: self.met})
        return super().evolve(state, fact)

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.but(obstacles={**recovery.obstacles, self.obstacle_id: self.met})

    @property
    def met(self) -> Obstacle:
        """What stands in the way."""
        return Obstacle(kind=str(self.kind), rule_id=self.rule_id, hardness=self.hardness)


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
        if self.how == "rule_overridden" and not at.importing:
            _refuse_override(_obstacle(state, self.obstacle_id), at)
        return [
            ObstacleRemoved(
                recovery_id=places[self.obstacle_id],
                obstacle_id=self.obstacle_id,
                how=self.how,
                reason=self.reason,
            )
        ]


def _refuse_override(met: Obstacle, at: Context) -> None:
    """Raises SystemRule or HardRule: only a soft rule is overridden, which takes no more than a reason (I-11)."""
    rule = at.house.rule(met.rule_id).body
    match harder(rule.hardness, met.hardness):
        case "system":
            raise SystemRule(met.rule_id, rule.owner)
        case "hard":
            raise HardRule(met.rule_id, rule.legal_ref)


def _obstacle(state: Relationship, obstacle_id: UUID) -> Obstacle:
    if obstacle_id in state.obstacles:
        return state.obstacles[obstacle_id]
    return next(one.obstacles[obstacle_id] for one in state.recoveries.values() if obstacle_id in one.obstacles)


def _places(state: Relationship) -> dict[UUID, RecoveryId | None]:
    """Every open obstacle, with the recovery it belongs to."""
    places: dict[UUID, RecoveryId | None] = dict.fromkeys(state.obstacles)
    for recovery in state.recoveries.values():
        places.update(dict.fromkeys(recovery.obstacles, RecoveryId(recovery.recovery_id)))
    return places


def _without(obstacles: Mapping[UUID, Obstacle], gone: UUID) -> dict[UUID, Obstacle]:
    return {one: met for one, met in obstacles.items() if one != gone}
