"""Source deadline: what another system had promised its customers, recorded as it was."""

from typing import Literal

from domain.clocks import DeadlineMissed, DeadlineSet
from domain.errors import InvalidValue, NotAllowed
from domain.kinds import Context, Event
from domain.relationship import RecoveryCommand, Relationship
from domain.values import Code, Count, Moment, RecoveryId


class RecordSourceDeadline(RecoveryCommand, path="record-source-deadline", scope="import"):
    """Record a deadline of the system that data is imported from, and whether it was missed.

    It never fires here. Where only the miss is known, `due_at` stays away.
    """

    step: Literal["response", "remedy"]
    standard: Code
    version: Count = 1
    calendar: Code | None = None
    due_at: Moment | None = None
    missed: bool = False

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        if not at.importing:
            raise NotAllowed("import")
        if recovery.clocks:
            raise InvalidValue("recovery_id", "the house's own clocks run in this recovery")
        if self.due_at is None and not self.missed:
            raise InvalidValue("due_at", "give the due time, or that it was missed")
        recovery_id = RecoveryId(recovery.recovery_id)
        return [*self._set(recovery_id), *self._missed(recovery_id)]

    def _set(self, recovery_id: RecoveryId) -> list[Event]:
        if self.due_at is None:
            return []
        return [
            DeadlineSet(
                recovery_id=recovery_id,
                step=self.step,
                due_at=self.due_at,
                standard=self.standard,
                version=self.version,
                calendar=self.calendar,
                fires=False,
            )
        ]

    def _missed(self, recovery_id: RecoveryId) -> list[Event]:
        if not self.missed:
            return []
        return [
            DeadlineMissed(recovery_id=recovery_id, step=self.step, due_at=self.due_at, standard=self.standard)
        ]
