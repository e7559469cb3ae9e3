"""Our recorder, snapshots and factory pass the suites of the library `eventsourcing`, on both databases.

Nothing is left out. `INITIAL_VERSION` stays 1; the suites also write streams that begin at 0, which the tables
allow to other programs.
"""

import threading
from collections.abc import Iterator
from uuid import UUID

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import ProcessRecorder
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)
from eventsourcing.utils import Environment, get_topic
from sqlalchemy import Engine

from infrastructure.engine import make_engine
from infrastructure.factory import Factory
from infrastructure.library import SQLAlchemyRecorder
from infrastructure.snapshots import SnapshotRecorder
from tests.support.databases import patient

WAITED_SECONDS = 60.0


class OnSQLite:
    """A fresh SQLite file for each case."""

    @pytest.fixture(autouse=True)
    def _fresh(self, sqlite_database: str) -> Iterator[None]:
        yield from self._with(sqlite_database)

    def _with(self, url: str) -> Iterator[None]:
        self.url, self.engine = url, make_engine(url)
        patient(self.engine)  # ten threads of a suite want the lock at once
        before = set(threading.enumerate())
        yield
        # The suites tell their reading threads to end and do not wait for it.
        for thread in set(threading.enumerate()) - before:
            thread.join(WAITED_SECONDS)
        self.engine.dispose()


class OnPostgres(OnSQLite):
    """A fresh PostgreSQL database for each case."""

    @pytest.fixture(autouse=True)
    def _fresh(self, postgres_database: str) -> Iterator[None]:
        yield from self._with(postgres_database)


class OfSnapshots:
    engine: Engine

    def create_recorder(self) -> SnapshotRecorder:
        return SnapshotRecorder(self.engine)


class OfTheLedger:
    engine: Engine

    def create_recorder(self) -> SQLAlchemyRecorder:
        return SQLAlchemyRecorder(self.engine)


class Subscriptions:
    """The suite names this case optional; ours subscribes on both databases."""

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestSnapshotsOnSQLite(OfSnapshots, OnSQLite, AggregateRecorderTestCase):
    pass


class TestSnapshotsOnPostgres(OfSnapshots, OnPostgres, AggregateRecorderTestCase):
    pass


class TestApplicationOnSQLite(OfTheLedger, Subscriptions, OnSQLite, ApplicationRecorderTestCase):
    pass


class TestApplicationOnPostgres(OfTheLedger, Subscriptions, OnPostgres, ApplicationRecorderTestCase):
    pass


class TestTrackingOnSQLite(OfTheLedger, OnSQLite, TrackingRecorderTestCase):
    pass


class TestTrackingOnPostgres(OfTheLedger, OnPostgres, TrackingRecorderTestCase):
    pass


class TestProcessOnSQLite(OfTheLedger, OnSQLite, ProcessRecorderTestCase):
    pass


class TestProcessOnPostgres(OfTheLedger, OnPostgres, ProcessRecorderTestCase):
    pass


class TestNonInterleavingOnSQLite(OfTheLedger, OnSQLite, NonInterleavingNotificationIDsBaseCase):
    pass


class TestNonInterleavingOnPostgres(OfTheLedger, OnPostgres, NonInterleavingNotificationIDsBaseCase):
    pass


class OwnTracking(SQLAlchemyRecorder):
    """A tracking recorder of a caller's own."""


class OfTheFactory:
    url: str

    def setUp(self) -> None:
        self.env = Environment("ledgers")
        self.env["PERSISTENCE_MODULE"] = "infrastructure.factory"
        self.env["AMENDS_DATABASE_URL"] = self.url
        super().setUp()

    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[SnapshotRecorder]:
        return SnapshotRecorder

    def expected_application_recorder_class(self) -> type[SQLAlchemyRecorder]:
        return SQLAlchemyRecorder

    def expected_tracking_recorder_class(self) -> type[SQLAlchemyRecorder]:
        return SQLAlchemyRecorder

    def tracking_recorder_subclass(self) -> type[SQLAlchemyRecorder]:
        return OwnTracking

    def expected_process_recorder_class(self) -> type[ProcessRecorder]:
        return SQLAlchemyRecorder


class TestFactoryOnSQLite(OfTheFactory, OnSQLite, InfrastructureFactoryTestCase):
    pass


class TestFactoryOnPostgres(OfTheFactory, OnPostgres, InfrastructureFactoryTestCase):
    pass


class Dog(Aggregate):
    """An aggregate of the library's own kind."""

    @event("Registered")
    def __init__(self, name: str) -> None:
        self.name = name
        self.tricks: list[str] = []

    @event("TrickAdded")
    def add_trick(self, trick: str) -> None:
        self.tricks.append(trick)


class DogSchool(Application[UUID]):
    """An application of the library, on a ledger of ours, with snapshots."""

    snapshotting_intervals = {Dog: 2}  # noqa: RUF012 (the library's way to say it)


def test_an_application_of_the_library_runs_on_a_ledger(database: str):
    env = {"PERSISTENCE_MODULE": get_topic(Factory), "AMENDS_DATABASE_URL": database, "AMENDS_LEDGER": "dogs"}
    school = DogSchool(env=env)
    fido = Dog("Fido")
    school.save(fido)
    for trick in ("roll over", "play dead"):
        fido.add_trick(trick)
        school.save(fido)
    assert school.repository.get(fido.id).tricks == ["roll over", "play dead"]
    assert school.repository.get(fido.id, version=2).tricks == ["roll over"]
    assert [one.id for one in school.notification_log.select(1, 10)] == [1, 2, 3]
    assert len(list(school.snapshots.get(fido.id))) == 1
    school.close()
