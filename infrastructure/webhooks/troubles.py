"""Troubles: the webhooks that rest because of a fault of ours.

Kept in memory, since what is at fault may be that nothing can be written. A new process begins anew.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from infrastructure.webhooks.endpoints import Webhook
from infrastructure.webhooks.schedule import over, rest_of_ours


class _Trouble(NamedTuple):
    """How often in a row, until when it rests, and at which revision of the webhook."""

    times: int
    until: datetime
    revision: int


class Troubles:
    """The faults of ours that each webhook has met since it was last told all there was."""

    def __init__(self) -> None:
        self._met: dict[UUID, _Trouble] = {}

    def meet(self, webhook: Webhook, now: datetime, jitter: float) -> datetime:
        """It met one more; gives until when it rests."""
        known = self._met.get(webhook.webhook_id)
        times = 1 if known is None else known.times + 1
        until = now + rest_of_ours(times, jitter)
        self._met[webhook.webhook_id] = _Trouble(times, until, webhook.revision)
        return until

    def forget(self, webhook_id: UUID) -> None:
        """All went well."""
        self._met.pop(webhook_id, None)

    def rests(self, webhook: Webhook, now: datetime) -> bool:
        """Whether it rests yet; whoever changes it has it tried at once."""
        known = self._met.get(webhook.webhook_id)
        return known is not None and known.revision == webhook.revision and not over(known.until, now)
