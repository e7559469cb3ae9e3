"""Expiry (D5): what was granted or offered for a while and not taken up is recorded as expired."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from uuid import UUID

from domain.duties.due import Due
from domain.granting.events import CompensationExpired
from domain.kinds import Event
from domain.moves.invitation import ReturnInvitationExpired
from domain.recovery import Recovery
from domain.relationship import Relationship
from domain.values import CompensationId, InvitationId, RecoveryId


def expiries(state: Relationship, recovery: Recovery, until: datetime) -> Iterator[Due]:
    """Every compensation and invitation of this recovery that runs out by then, at the moment it does.

    One that had run out when it was recorded is not news.
    """
    for given_id, one in recovery.compensations.items():
        ends = one.expires_at
        if one.status == "granted" and ends is not None and _is_news(ends, one.recorded_at, until):
            yield Due(ends, "D5", recovery.recovery_id, partial(_expired, recovery, given_id), str(given_id))
    for invited_id, invitation in recovery.invitations.items():
        ends = invitation.valid_until
        if invitation.status == "open" and _is_news(ends, invitation.recorded_at, until):
            yield Due(ends, "D5", recovery.recovery_id, partial(_stale, recovery, invited_id), str(invited_id))


def _is_news(ends: datetime, recorded_at: datetime | None, until: datetime) -> bool:
    return recorded_at is not None and recorded_at < ends <= until


def _expired(recovery: Recovery, given_id: UUID) -> tuple[Event, ...]:
    recovery_id = RecoveryId(recovery.recovery_id)
    return (CompensationExpired(recovery_id=recovery_id, compensation_id=CompensationId(given_id)),)


def _stale(recovery: Recovery, invited_id: UUID) -> tuple[Event, ...]:
    recovery_id = RecoveryId(recovery.recovery_id)
    return (ReturnInvitationExpired(recovery_id=recovery_id, invitation_id=InvitationId(invited_id)),)
