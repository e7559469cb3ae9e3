"""Ledger metrics: how a ledger and its read models are, looked up in the database when Prometheus asks."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from infrastructure.vitals import Vitals


class LedgerMetrics(Collector):
    """The vitals of a ledger as gauges: the same whichever process of the ledger is asked.

    Without a database there is only `amends_database_up 0`: an old figure would look like a true one.
    """

    def __init__(self, ledger: str, vitals: Callable[[], Vitals]) -> None:
        self._ledger, self._vitals = ledger, vitals

    def collect(self) -> Iterable[Metric]:
        """What there is to tell now."""
        try:
            found = self._vitals()
        except SQLAlchemyError:
            return [self._one("amends_database_up", _UP, 0)]
        return [self._one("amends_database_up", _UP, 1), *self._about(found)]

    def _about(self, found: Vitals) -> Iterator[Metric]:
        yield self._one("amends_head_position", _HEAD, found.head)
        yield self._each("amends_projection_position", _POSITION, found.positions)
        lags = {name: max(0, found.head - position) for name, position in found.positions.items()}
        yield self._each("amends_projection_lag_events", _LAG, lags)
        yield self._one("amends_projection_lag_seconds", _WAITING, found.waiting.total_seconds())
        yield self._each("amends_parked_streams", _PARKED, found.parked)
        yield self._each("amends_rebuild_ratio", _REBUILD, {one.projection: one.share for one in found.rebuilds})
        stuck = {one.projection: one.parked for one in found.rebuilds}
        yield self._each("amends_rebuild_parked_streams", _REBUILD_PARKED, stuck)
        yield self._one("amends_projector_abandoned_seconds", _ABANDONED, found.abandoned_seconds)
        if found.oldest_snapshot_seconds is not None:
            yield self._one("amends_oldest_snapshot_age_seconds", _SNAPSHOT, found.oldest_snapshot_seconds)
        yield self._one("amends_database_read_only", _READ_ONLY, found.read_only)
        if found.wal_bytes is not None:
            yield self._one("amends_sqlite_wal_bytes", _WAL, found.wal_bytes)

    def _one(self, name: str, told: str, value: float) -> Metric:
        made = GaugeMetricFamily(name, told, labels=("ledger",))
        made.add_metric((self._ledger,), value)
        return made

    def _each(self, name: str, told: str, values: Mapping[str, float]) -> Metric:
        made = GaugeMetricFamily(name, told, labels=("ledger", "projection"))
        for projection, value in values.items():
            made.add_metric((self._ledger, projection), value)
        return made


_UP = "Whether the database answered just now; if not, nothing else about the ledger is shown."
_READ_ONLY = "Whether PostgreSQL takes no writes from this process: a standby, or told to be read-only; 1 or 0."
_HEAD = "Position of the ledger's newest event: how many there are."
_POSITION = "How far each read model has come, as it is read."
_LAG = "Events that each read model has not folded yet: how old what it shows is."
_WAITING = "How long the oldest event that some read model lacks has been in the ledger; 0 when none is lacking."
_PARKED = "Customers whose events a read model could not fold: what it shows of them stands still until released."
_REBUILD = "How much of a read model being rebuilt is done, from 0 to 1; absent when none is."
_REBUILD_PARKED = (
    "Customers whose events a read model being rebuilt could not fold: look before it is switched to."
)
_ABANDONED = "For how long events have waited while no process had the right to fold them: every worker is dead."
_SNAPSHOT = "Age of the oldest open transaction that keeps old rows from being cleaned up; it slows every append."
_WAL = "Size of SQLite's write-ahead log; it grows while a reader stays open too long."
