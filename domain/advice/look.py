"""Look: one recovery at one moment, with everything a rule of advice may ask about it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final
from uuid import UUID

from domain.advice.advice import AuthorityLeft
from domain.advice.allowance import asked_in, authority_left, left_alone
from domain.advice.situation import Case, Situation, circumstances
from domain.clocks import InForce
from domain.recovery import Obstacle, Recovery
from domain.relationship import Relationship
from domain.standards.authority import Asked, Asker
from domain.standards.document import Standard
from domain.standards.house import House
from domain.standards.playbook import Playbook
from domain.standards.targets import TargetStep
from domain.values import Money

LIVE: Final = ("in_person", "phone", "chat")
"""Channels on which one can listen."""
UNDER_WAY: Final = ("promised", "started")


@dataclass(frozen=True)
class Look:
    """One recovery of one customer, as somebody sees it who asks what to do."""

    relationship: Relationship
    recovery: Recovery
    case: Case
    house: House
    asker: Asker
    as_of: datetime

    @classmethod
    def at(cls, found: Situation, recovery: Recovery, house: House, asker: Asker, as_of: datetime) -> "Look":
        """The look at this recovery."""
        return cls(found.relationship, recovery, found.case(recovery), house, asker, as_of)

    @cached_property
    def playbook(self) -> Standard[Playbook]:
        """The playbook for this case."""
        return self.house.playbook(circumstances(self.recovery, self.case))

    @cached_property
    def authority(self) -> AuthorityLeft:
        """What the asker may still give of whatever kind."""
        return authority_left(self.house, self.relationship, self.recovery, self.asker, self.as_of)

    def left_of(self, asked: Asked) -> Money | None:
        """What the asker may still give of this alone; None where no rule lets him."""
        return left_alone(self.house, self.relationship, self.asker, asked, self.as_of)

    @property
    def owes_remedy(self) -> bool:
        """Whether nothing was done yet, since the last (re)opening, and nothing is under way."""
        recovery = self.recovery
        settled = recovery.acted or "remedy" in recovery.waived or recovery.reopened_for == "treatment"
        return not settled and not self.under_way

    @property
    def under_way(self) -> list[UUID]:
        """The remedies that were promised and are not there yet."""
        return [one for one, remedy in self.recovery.remedies.items() if remedy.status in UNDER_WAY]

    @property
    def obstacle(self) -> Obstacle | None:
        """What stands in the way: a rule before anything else, then what was met first."""
        return min(self.recovery.obstacles.values(), key=lambda one: one.kind != "policy_block", default=None)

    @property
    def without_questions(self) -> bool:
        """Whether a remedy can be had on the spot: small enough, not his doing, and nothing in the way."""
        recovery = self.recovery
        if recovery.ended or recovery.fault == "customer" or recovery.urgency > 3 or recovery.obstacles:
            return False
        return self.owes_remedy and self._needs_no_proof()

    def _needs_no_proof(self) -> bool:
        loss, ruling = self.recovery.loss, self.house.may_give(self.asker, asked_in(self.recovery))
        limit = ruling.rule.no_proof_limit if ruling else None
        if loss is None or limit is None or loss.currency != limit.currency:
            return loss is None
        return loss.minor <= limit.minor

    def due(self, *steps: str) -> datetime | None:
        """When the first of these clocks runs out, or ran out; None where none was set."""
        running = {step: deadline.due_at for step, deadline in self.recovery.deadlines.items()}
        clocks = {**self.case.missed, **running}
        return min((clocks[step] for step in steps if step in clocks), default=None)

    def promised_by(self, step: TargetStep, since: datetime | None) -> datetime | None:
        """When this step is due by the promises of the house, where no clock says so."""
        return None if since is None else InForce.of(self.recovery, self.house).due(step, since)
