"""Promises: what this customer was told he will get and does not have yet."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.advice.known import promises
from domain.advice.look import UNDER_WAY
from domain.advice.situation import Case, Situation
from domain.kinds import Fact
from domain.recovery import Recovery
from domain.values import Code

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class OpenPromise(BaseModel):
    """Something the customer waits for."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["commitment", "remedy", "compensation", "update", "invitation"]
    recovery_id: UUID
    of: Code | None = None
    """Of which remedy or compensation."""
    what: str | None = None
    due_at: datetime | None
    overdue: bool


def open_promises(facts: Iterable[Fact], found: Situation, as_of: datetime) -> list[OpenPromise]:
    """What he waits for, what is due first first. An invitation stands until it expires."""
    words = promises(facts)
    made = [
        one
        for recovery in found.relationship.recoveries.values()
        for one in _of(recovery, found.case(recovery), words, as_of)
    ]
    return sorted(made, key=lambda one: (one.due_at or _NEVER, one.kind, one.recovery_id, one.of or ""))


def _of(recovery: Recovery, case: Case, words: dict[UUID, str | None], as_of: datetime) -> Iterable[OpenPromise]:
    def promise(kind: str, due: datetime | None, of: str | None = None, what: str | None = None) -> OpenPromise:
        late = due is not None and due <= as_of and kind != "invitation"
        told = {"kind": kind, "recovery_id": recovery.recovery_id, "of": of, "what": what}
        return OpenPromise.model_validate({**told, "due_at": due, "overdue": late})

    for one, due in recovery.commitments.items():
        yield promise("commitment", due, what=words.get(one))
    for one, remedy in recovery.remedies.items():
        if remedy.status in UNDER_WAY:
            yield promise("remedy", case.promised.get(one), remedy.remedy_kind)
    for given in recovery.compensations.values():
        if given.status == "granted":
            yield promise("compensation", None, given.kind)
    for invitation in recovery.invitations.values():
        if invitation.status == "open" and invitation.valid_until > as_of:
            yield promise("invitation", invitation.valid_until)
    if "update" in recovery.deadlines:
        yield promise("update", recovery.deadlines["update"].due_at)
