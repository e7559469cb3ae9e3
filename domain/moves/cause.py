"""Cause: why it went wrong. Mostly it is the house, and where it is a person, the house had a part in it."""

from typing import Annotated, Final, Literal

from domain.errors import IndividualNeedsContext
from domain.kinds import Context, Event, Fact
from domain.recovery import Recovery
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship, refuse_own_case
from domain.values import Code, OneOf, Personal, Words

SYSTEMIC: Final = (
    ("philosophy_culture", "organisation_process", "internal_communication", "training", "tool_system")
    + ("capacity", "supplier", "policy_rule")
)  # fmt: skip
INDIVIDUAL: Final = ("skill", "attitude", "slip")
NEITHER: Final = ("misunderstanding", "outside", "none_found")
CauseClass = Annotated[str, OneOf((*SYSTEMIC, *INDIVIDUAL, *NEITHER, "other"))]
# What we take is the closed list: a new word for a person's fault must not slip past I-12.
KnownCause = Literal[
    "philosophy_culture",
    "organisation_process",
    "internal_communication",
    "training",
    "tool_system",
    "capacity",
    "supplier",
    "policy_rule",
    "skill",
    "attitude",
    "slip",
    "misunderstanding",
    "outside",
    "none_found",
]


class RootCauseAttributed(RecoveryEvent, topic="root_cause.attributed"):
    """We know why it went wrong."""

    cause_class: CauseClass
    contributing: tuple[CauseClass, ...] = ()
    evidence_ref: Personal[Words] | None = None
    rule_id: Code | None = None
    tool_id: Code | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.with_done("root_cause", fact)


class AttributeCause(RecoveryCommand, path="attribute-cause", facts=(RootCauseAttributed,)):
    """Say why it went wrong. A person's fault needs evidence and what the house contributed (I-12)."""

    cause_class: KnownCause
    contributing: tuple[KnownCause, ...] = ()
    evidence_ref: Personal[Words] | None = None
    rule_id: Code | None = None
    tool_id: Code | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        refuse_own_case(recovery, at.actor.colleague_id, at)
        if missing := self._missing():
            raise IndividualNeedsContext(missing)
        given = self.model_dump(exclude_none=True, exclude={"about"})
        return [RootCauseAttributed.model_validate(given | {"recovery_id": recovery.recovery_id})]

    def _missing(self) -> list[str]:
        if self.cause_class not in INDIVIDUAL:
            return []
        missing = [] if self.evidence_ref else ["evidence_ref"]
        systemic = any(one in SYSTEMIC for one in self.contributing)
        return missing if systemic else [*missing, "a systemic cause in contributing"]
