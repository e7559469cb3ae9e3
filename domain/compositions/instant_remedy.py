"""Instant remedy: sorry, here you are, and something on top, told in one go. No questions, no approval."""

from collections.abc import Sequence
from typing import TypeVar

from domain.compositions.bundle import Bundle
from domain.errors import InvalidValue
from domain.kinds import Context, Elsewhere, Event
from domain.moves.apology import Apologise
from domain.moves.compensation import GrantCompensation
from domain.moves.failure import ReportFailure
from domain.moves.handling import Acknowledge
from domain.moves.invitation import InviteBack
from domain.moves.outcome import Resolve
from domain.moves.remedy import DeliverRemedy
from domain.relationship import RecoveryCommand, Relationship, RelationshipCommand
from domain.values import RecoveryId

Step = TypeVar("Step", bound=RecoveryCommand)
Named = tuple[str | None, RelationshipCommand]
"""A step with what the whole calls it; None for one that follows from the others."""


class InstantRemedy(RecoveryCommand, path="instant-remedy", opens=True):
    """Apologise, put it right and resolve it at once. With `failure` the failure is reported first.

    It is all recorded or nothing is. A compensation of timing `now` is handed over with it.
    """

    failure: ReportFailure | None = None
    apology: Apologise
    remedy: DeliverRemedy
    compensation: GrantCompensation | None = None
    invitation: InviteBack | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        if self.failure is None:
            recovery = self.found(state, at)
            recovery_id, acknowledged = RecoveryId(recovery.recovery_id), "acknowledge" in recovery.done
            return _together(self._recovered(recovery_id, acknowledged)).decide(state, at)
        if self.recovery_id is not None or self.about is not None:
            raise InvalidValue("failure", "report a new failure, or name a recovery, not both")
        recovery_id = self.failure.recovery_id or RecoveryId(at.new_id())
        failure = self.failure.model_copy(update={"recovery_id": recovery_id})
        steps = [("failure", failure), *self._recovered(recovery_id, acknowledged=False)]
        return _together(steps).decide(state, at)

    def _recovered(self, recovery_id: RecoveryId, acknowledged: bool) -> list[Named]:
        acknowledge = Acknowledge(recovery_id=recovery_id, channel=self.apology.channel)
        return [
            *([] if acknowledged else [(None, acknowledge)]),
            ("apology", _of(recovery_id, "apology", self.apology)),
            ("remedy", _of(recovery_id, "remedy", self.remedy)),
            *self._on_top(recovery_id),
            (None, Resolve(recovery_id=recovery_id)),
        ]

    def _on_top(self, recovery_id: RecoveryId) -> list[Named]:
        steps: list[Named] = []
        if self.compensation is not None:
            granted = _of(recovery_id, "compensation", self.compensation)
            at_once = granted.delivered or granted.timing == "now"
            # Nobody is asked: either it can be given now, or whoever stands before the customer must know at once.
            steps.append(("compensation", granted.model_copy(update={"delivered": at_once, "ask": False})))
        if self.invitation is not None:
            steps.append(("invitation", _of(recovery_id, "invitation", self.invitation)))
        return steps


def _together(steps: Sequence[Named]) -> Bundle:
    return Bundle(commands=tuple(step for _, step in steps), parts=tuple(name for name, _ in steps))


def _of(recovery_id: RecoveryId, name: str, step: Step) -> Step:
    """The step on this recovery. Raises InvalidValue when it names another one."""
    if step.about is not None or step.recovery_id not in (None, recovery_id):
        raise InvalidValue(name, "belongs to the recovery of the whole; it names none itself")
    return step.model_copy(update={"recovery_id": recovery_id})
