"""The sum while one fact is added to it: its terms so far, and what else will have changed."""

from typing import Any
from uuid import UUID

from domain.satisfaction.justice import healing_target
from domain.satisfaction.score import RecoveryScore, Score
from domain.satisfaction.terms import Term, shown


class Running:
    """Lives for one fact only. The score it started from is never touched."""

    __slots__ = ("_changes", "_owned", "label", "score", "terms", "total")

    def __init__(self, score: Score, label: str) -> None:
        self.score = score
        self.label = label
        self.total = score.total
        self.terms: list[Term] = []
        self._changes: dict[str, Any] = {}
        # The one copy of the recoveries that this fact needs, made when the first of them changes.
        self._owned: dict[UUID, RecoveryScore] | None = None

    def add(self, change: int, label: str | None = None) -> None:
        """One term more; nothing when it would be zero."""
        if change:
            self.total += change
            self.terms.append(Term(label or self.label, change, self.total))

    def note(self, **changes: Any) -> None:
        """These fields of the score get these values."""
        self._changes.update(changes)

    def recovery(self, recovery_id: UUID | None) -> RecoveryScore | None:
        """The recovery of this id, if the relationship has it."""
        if recovery_id is None:
            return None
        return (self.score.recoveries if self._owned is None else self._owned).get(recovery_id)

    def keep(self, recovery_id: UUID, recovery: RecoveryScore) -> None:
        """The recovery is now this."""
        if self._owned is None:
            self._owned = dict(self.score.recoveries)
        self._owned[recovery_id] = recovery

    def heal(self, recovery_id: UUID, recovery: RecoveryScore, label: str | None = None) -> None:
        """The recovery is now this, and a term for what it heals more or less than before."""
        target = healing_target(recovery)
        if target != recovery.healed:
            self.add(target - recovery.healed, label)
            recovery = recovery.but(healed=target)
        self.keep(recovery_id, recovery)

    def finished(self) -> Score:
        """The score with everything added."""
        if self.total < self.score.total:
            self._lower(shown(self.total))
        changes = self._changes
        if self._owned is not None:
            changes["recoveries"] = self._owned
        if self.terms:
            changes["total"] = self.total
            changes.setdefault("basis", "inferred")
        return self.score.but(**changes) if changes else self.score

    def _lower(self, now: int) -> None:
        recoveries = self.score.recoveries if self._owned is None else self._owned
        lower = [one for one, recovery in recoveries.items() if recovery.lowest > now and not recovery.ended]
        for one in lower:
            self.keep(one, recoveries[one].but(lowest=now))
