"""Invitations: how many whom we asked to come back did, and after how many days."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from domain.rates import Rate, Spread, rate, spread
from projections.base import Source
from projections.grants import INVITATION, Grants, grants, grants_ended
from projections.period import AT_A_TIME, Period, Report

_DAY: Final = timedelta(days=1)


class InvitationReport(Report):
    """Invitations to come back (`n`), and what became of them. Each is redeemed, expired, or still open.

    `redemption` is of those that are over: an open one may still bring somebody. Who comes back on one that had
    run out has come back all the same. `days_to_return` runs from the invitation.
    """

    redeemed: int
    expired: int
    open: int
    redemption: Rate
    days_to_return: Spread


def report(source: Source, period: Period) -> InvitationReport:
    """The invitations of this period, as they stand at `as_of`."""
    issued, ended = _issued(source, period), _ended(source, period)
    became = {one: ended.get(one, {}) for one in issued}
    returned = {one: hows["delivered"] for one, hows in became.items() if "delivered" in hows}
    expired = sum("expired" in hows and "delivered" not in hows for hows in became.values())
    return InvitationReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=len(issued),
        redeemed=len(returned),
        expired=expired,
        open=len(issued) - len(returned) - expired,
        redemption=rate(len(returned), len(returned) + expired),
        # Told late, a return may lie before its invitation: that counts as no time at all.
        days_to_return=spread([max((at - issued[one]) / _DAY, 0.0) for one, at in returned.items()]),
    )


def _issued(source: Source, period: Period) -> dict[UUID, Any]:
    """When each invitation of the period was made."""
    of = grants.c
    query = select(of.grant_id, of.occurred_at).where(*source.of(Grants, grants), of.kind == INVITATION)
    return {row.grant_id: row.occurred_at for row in source.conn.execute(query.where(*period.of(of.occurred_at)))}


def _ended(source: Source, period: Period) -> dict[UUID, dict[str, Any]]:
    """What became of each grant by then, and when that first happened."""
    of = grants_ended.c
    query = select(of.grant_id, of.how, of.occurred_at).where(*source.of(Grants, grants_ended))
    rows = query.where(of.occurred_at <= period.as_of).order_by(of.position)
    ended: dict[UUID, dict[str, Any]] = {}
    for row in source.conn.execute(rows.execution_options(yield_per=AT_A_TIME)):
        ended.setdefault(row.grant_id, {}).setdefault(row.how, row.occurred_at)
    return ended
