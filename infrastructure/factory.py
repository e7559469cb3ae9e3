"""The factory through which applications of the library `eventsourcing` run on a ledger of ours.

PERSISTENCE_MODULE=infrastructure.factory, AMENDS_DATABASE_URL and AMENDS_LEDGER are all it needs.
"""

from typing import Final

from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment, EnvType, resolve_topic

from infrastructure.bell import Bell
from infrastructure.engine import make_engine
from infrastructure.library import SQLAlchemyRecorder
from infrastructure.snapshots import SnapshotRecorder

DATABASE_URL: Final = "AMENDS_DATABASE_URL"
LEDGER: Final = "AMENDS_LEDGER"


class Factory(InfrastructureFactory[SQLAlchemyRecorder]):
    """Recorders on one engine and one ledger. It makes no tables: only migrations do."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self._engine = make_engine(self.env.get(DATABASE_URL) or "sqlite:///amends.db")
        self._ledger = self.env.get(LEDGER) or "main"
        self._bell = Bell()

    def aggregate_recorder(self, purpose: str = "events") -> SnapshotRecorder:
        """Where snapshots go; a ledger's events go through the application recorder alone."""
        return SnapshotRecorder(self._engine, self._ledger)

    def application_recorder(self) -> SQLAlchemyRecorder:
        """The ledger."""
        return SQLAlchemyRecorder(self._engine, self._ledger, bell=self._bell)

    def process_recorder(self) -> SQLAlchemyRecorder:
        """The ledger, with tracking."""
        return SQLAlchemyRecorder(self._engine, self._ledger, bell=self._bell)

    def tracking_recorder(
        self, tracking_recorder_class: type[SQLAlchemyRecorder] | None = None
    ) -> SQLAlchemyRecorder:
        """Tracking; of a class of the caller's, when it names one."""
        topic = self.env.get(self.TRACKING_RECORDER_TOPIC)
        chosen = tracking_recorder_class or (resolve_topic(topic) if topic else SQLAlchemyRecorder)
        recorder: SQLAlchemyRecorder = chosen(self._engine, self._ledger, bell=self._bell)
        return recorder

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()
