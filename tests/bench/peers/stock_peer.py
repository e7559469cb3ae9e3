"""The stock recorder of the library eventsourcing on PostgreSQL, on its quickest safe documented settings.

Chosen for it, and why:
* POSTGRES_POOL_SIZE is the number of threads, with no overflow: no thread waits for a connection, and none is
  opened under way. Everything else is as by default.
* POSTGRES_ENABLE_DB_FUNCTIONS stays off, as by default: the insert function leaves out LOCK TABLE, and a reader
  that follows the notification ids can then miss events. Nobody is measured while losing events.
* psycopg comes compiled.
* Pydantic events and orjson instead of JSONTranscoder, and immutable aggregates: see stock_model.py.
* No cipher and no compressor: it encrypts nothing, which we do.
* `save` is measured alone: the events are made by the caller, with no repository.get before, and each customer
  belongs to one thread, so that nobody is ever refused for a version.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from threading import Event
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from answering import Settings, answer
from eventsourcing.application import Application, project_aggregate
from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Identifier
from stock_model import Declared, DeclaredRelationships, Relationships, Snapshotted, opened, project, updated

Work = Callable[[], int]
CACHED = {"AGGREGATE_CACHE_MAXSIZE": "100000"}
# Both are documented: the second for immutable aggregates, as ours are here.
NOT_COPIED = {"DEEPCOPY_FROM_AGGREGATE_CACHE": "n"}
# Then a cached aggregate may be out of date where others write; the version check on saving still holds.
NOT_ASKED = {"AGGREGATE_CACHE_FASTFORWARD": "n"}
LOADS: dict[str, tuple[type[Application[UUID]], dict[str, str]]] = {
    "declared": (DeclaredRelationships, {}),
    "folded": (Relationships, {}),
    "snapshot": (Snapshotted, {}),
    "cached": (Relationships, CACHED | NOT_COPIED),
    "cached, not asked": (Relationships, CACHED | NOT_COPIED | NOT_ASKED),
}
"""The ways to load."""


class Counter(PostgresTrackingRecorder):
    """The bare counter: one row, counted up in the transaction that records the tracking."""

    def __init__(self, datastore: PostgresDatastore, **names: Any) -> None:
        super().__init__(datastore, **names)
        table = {"schema": Identifier(datastore.schema), "table": Identifier("counter")}
        self.sql_create_statements.append(
            SQL("CREATE TABLE IF NOT EXISTS {schema}.{table} (id int PRIMARY KEY, n bigint NOT NULL)").format(
                **table
            )
        )
        self._increment = SQL(
            "INSERT INTO {schema}.{table} AS t VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = t.n + 1"
        ).format(**table)

    def increment(self, tracking: Tracking) -> None:
        """Counts one event, exactly once."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self._increment, prepare=True)


class Counting(Projection[Counter]):
    """Counts every event, and says when the last one is counted: the runner's own wait looks only now and then."""

    name = "counting"
    last = 0
    done = Event()

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        self.view.increment(tracking)
        if tracking.notification_id >= self.last:
            self.done.set()


class Stock:
    """The works, on one database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._apps: dict[str, Application[UUID]] = {}
        self._customers: list[UUID] = []
        self._versions: list[int] = []
        self._loadable: list[UUID] = []
        self._declared: list[UUID] = []

    def record(self, number: int, settings: Settings) -> Work:
        """Inserts prepared stored events, so many a transaction."""
        app = self._app("record", threads=1)
        size = settings["a_transaction"]
        events = self._stored(app, settings)
        pages = [[next(events) for _ in range(size)] for _ in range(settings["transactions"])]

        def work() -> int:
            for page in pages:
                app.recorder.insert_events(page)
            return sum(map(len, pages))

        return work

    def save(self, number: int, settings: Settings) -> Work:
        """Saves one event at a time from so many threads."""
        threads, payload = settings["threads"], settings["payload"]
        app = self._app("save", threads)
        self._grow(app, settings["customers"])
        shares: list[list[int]] = [[] for _ in range(threads)]
        for chosen in settings["commands"]:
            shares[chosen % threads].append(chosen)

        def call(mine: Sequence[int]) -> int:
            for one in mine:
                self._versions[one] += 1
                app.save(updated(self._customers[one], self._versions[one], payload))
            return len(mine)

        def work() -> int:
            with ThreadPoolExecutor(threads) as pool:
                return sum(pool.map(call, shares))

        return work

    def count(self, number: int, settings: Settings) -> Work:
        """A ProjectionRunner counts the events appended since the last round."""
        app = self._app("count", threads=1)
        events, left = self._stored(app, settings), settings["events"]
        while left:
            size = min(left, 1_000)
            app.recorder.insert_events([next(events) for _ in range(size)])
            left -= size
        Counting.last = app.recorder.max_notification_id() or 0
        Counting.done.clear()

        def work() -> int:
            runner = ProjectionRunner(
                application_class=Relationships,
                projection_class=Counting,
                view_class=Counter,
                env=self._env(threads=2),
            )
            with runner:
                if not Counting.done.wait(timeout=500):
                    raise TimeoutError("the runner did not come to the end")
                runner.wait(Counting.last, timeout=1)
            counted: int = settings["events"]
            return counted

        return work

    def load(self, number: int, settings: Settings) -> Work:
        """Gets relationships of so many events each, in one of the ways to load."""
        self._fill(settings)
        how = settings["how"]
        app = self._app(how, 1, *LOADS[how])
        by: Any = project_aggregate if how == "declared" else project
        wanted = self._declared if how == "declared" else self._loadable
        if "cached" in how:
            for one in wanted:
                app.repository.get(one, projector_func=by)

        def work() -> int:
            for _ in range(settings["times"]):
                for one in wanted:
                    app.repository.get(one, projector_func=by)
            times: int = settings["times"]
            return times * len(wanted)

        return work

    def _app(
        self,
        name: str,
        threads: int,
        kind: type[Application[UUID]] = Relationships,
        env: dict[str, str] | None = None,
    ) -> Application[UUID]:
        if name not in self._apps:
            self._apps[name] = kind(env=self._env(threads) | (env or {}))
        return self._apps[name]

    def _env(self, threads: int) -> dict[str, str]:
        parts = urlsplit(self._url)
        host = parse_qs(parts.query).get("host", [parts.hostname or "127.0.0.1"])[0]
        return {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": parts.path.lstrip("/"),
            "POSTGRES_HOST": host,
            "POSTGRES_PORT": str(parts.port or 5432),
            "POSTGRES_USER": parts.username or "postgres",
            "POSTGRES_PASSWORD": parts.password or "",
            "POSTGRES_POOL_SIZE": str(threads),
            "POSTGRES_MAX_OVERFLOW": "0",
        }

    def _stored(self, app: Application[UUID], settings: Settings) -> Iterator[StoredEvent]:
        """Stored events on new streams, one after the other on each."""
        streams = [uuid4() for _ in range(settings["streams"])]
        versions = dict.fromkeys(streams, 0)
        for stream in cycle(streams):
            versions[stream] += 1
            yield app.mapper.to_stored_event(updated(stream, versions[stream], settings["payload"]))

    def _grow(self, app: Application[UUID], customers: int) -> None:
        while len(self._customers) < customers:
            new = [uuid4() for _ in range(min(1_000, customers - len(self._customers)))]
            app.save(*(opened(one) for one in new))
            self._customers += new
            self._versions += [1] * len(new)

    def _fill(self, settings: Settings) -> None:
        """Relationships of so many events, with a snapshot of each at its end for those who want one."""
        if self._loadable:
            return
        app = self._app("snapshot", 1, *LOADS["snapshot"])
        self._loadable = [uuid4() for _ in range(settings["relationships"])]
        for one in self._loadable:
            later = [updated(one, version, settings["payload"]) for version in range(2, settings["events"] + 1)]
            app.save(opened(one), *later)
            app.take_snapshot(one, projector_func=project)
            declared = Declared()
            for _ in later:
                declared.update(**settings["payload"])
            self._app("declared", 1, *LOADS["declared"]).save(declared)
            self._declared.append(declared.id)


if __name__ == "__main__":
    stock = Stock(sys.argv[1])
    answer({"record": stock.record, "save": stock.save, "count": stock.count, "load": stock.load})
