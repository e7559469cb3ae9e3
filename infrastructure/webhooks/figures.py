"""Figures: how far the webhooks of a ledger have come, looked up when Prometheus asks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from infrastructure.recorder import read_head
from infrastructure.webhooks.tables import dead_letters, webhooks


@dataclass(frozen=True, slots=True)
class Mailroom:
    """How the webhooks of a ledger stand. None of it is about a single receiver."""

    behind: int
    """Events that the active webhook which is furthest behind has not been told."""
    failing: int
    """Webhooks whose receiver did not take what it was told last or wants nothing any more; and faults of ours."""
    dead: int
    """Deliveries that were given up."""


def mailroom(conn: Connection, ledger: str) -> Mailroom:
    """How the webhooks of this ledger stand."""
    active = (webhooks.c.ledger == ledger, webhooks.c.state == "active")
    furthest = conn.execute(select(func.min(webhooks.c.position)).where(*active)).scalar()
    failing = select(func.count()).where(
        webhooks.c.ledger == ledger, webhooks.c.state != "paused", webhooks.c.failing_since.is_not(None)
    )
    dead = select(func.count()).where(dead_letters.c.ledger == ledger, dead_letters.c.attempts > 0)
    head = read_head(conn, ledger).position
    return Mailroom(
        behind=0 if furthest is None else max(0, head - furthest),
        failing=conn.execute(failing).scalar_one(),
        dead=conn.execute(dead).scalar_one(),
    )


class WebhookMetrics(Collector):
    """The same as gauges; nothing while the database is out of reach, as `amends_database_up` says."""

    def __init__(self, ledger: str, look: Callable[[], Mailroom]) -> None:
        self._ledger, self._look = ledger, look

    def collect(self) -> Iterable[Metric]:
        """What there is to tell now."""
        try:
            found = self._look()
        except SQLAlchemyError:
            return []
        return [
            self._one("amends_webhook_lag_events", _LAG, found.behind),
            self._one("amends_webhooks_failing", _FAILING, found.failing),
            self._one("amends_webhook_dead_letters", _DEAD, found.dead),
        ]

    def _one(self, name: str, told: str, value: float) -> Metric:
        made = GaugeMetricFamily(name, told, labels=("ledger",))
        made.add_metric((self._ledger,), value)
        return made


_LAG = "Events that the webhook which is furthest behind has not been told yet; paused ones do not count."
_FAILING = (
    "Webhooks whose receiver did not take what it was told last, or wants nothing any more, "
    "or for which a fault of ours is in the way."
)
_DEAD = "Deliveries to webhooks that were given up after three days; they wait to be sent again."
