"""A database that will not, or an address that cannot be: each verb and each start says why in one line."""

import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.exc import DBAPIError

from api.cli.given import UnknownSettings
from infrastructure.migrate import WrongEncoding, upgrade
from infrastructure.reasons import hindrance
from tests.support.commands import CommandLine, command_line
from tests.support.databases import Server

EVERY_START = [("migrate",), ("keys", "create", "webshop"), ("serve", "--port", "0"), ("worker",)]


@pytest.fixture(scope="module")
def weak(postgres_server: Server, postgres_template: str) -> Iterator[str]:
    """The address of a migrated database for a role that may connect, and nothing else."""
    name = postgres_server.create(postgres_template)
    role = sql.Identifier(f"{name}_weak")
    admin = postgres_server.admin.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE ROLE {}").format(role))
        yield _with_option(postgres_server.url(name), f"role={name}_weak")
        postgres_server.drop(name)
        conn.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.mark.parametrize("verb", EVERY_START)
def test_what_the_role_may_not_is_said_in_one_line(weak: str, tmp_path: Path, verb: tuple[str, ...]):
    told = command_line(tmp_path, weak).process(*verb)
    assert (told.code, told.err) == (
        1,
        "unavailable: the database refuses: permission denied for table alembic_version\n",
    )


def test_a_database_that_takes_no_writes_is_said_in_one_line(postgres_database: str, tmp_path: Path):
    command_line(tmp_path, postgres_database)("migrate", "--quiet")
    read_only = _with_option(postgres_database, "default_transaction_read_only=on")
    told = command_line(tmp_path, read_only).process("keys", "create", "webshop")
    assert (told.code, told.err) == (
        1,
        "unavailable: the database refuses: cannot execute INSERT in a read-only transaction\n",
    )


@pytest.mark.parametrize("verb", [("migrate",), ("serve", "--port", "0")])
def test_a_file_that_is_no_database_is_said_in_one_line(tmp_path: Path, verb: tuple[str, ...]):
    (tmp_path / "amends.db").write_text("Plums, a pound; and whatever else there was to buy.\n" * 100)
    told = command_line(tmp_path).process(*verb)
    assert (told.code, told.err) == (1, "unavailable: the database refuses: file is not a database\n")


@pytest.fixture(scope="module")
def latin(postgres_server: Server) -> Iterator[str]:
    """The address of an empty database that holds the letters of western Europe only."""
    name = f"{postgres_server.prefix}_latin"
    admin = postgres_server.admin.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as conn:
        letters = "ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'"
        conn.execute(sql.SQL(f"CREATE DATABASE {{}} TEMPLATE template0 {letters}").format(sql.Identifier(name)))
        yield postgres_server.url(name)
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.parametrize("verb", [("migrate",), ("keys", "list")])
def test_a_database_that_cannot_hold_every_letter_is_refused(latin: str, tmp_path: Path, verb: tuple[str, ...]):
    told = command_line(tmp_path, latin).process(*verb)
    assert told.code == 1
    assert told.err == "wrong_encoding: the database holds LATIN1, this program needs UTF8\n"
    assert not (tmp_path / "amends.key").exists()


def test_a_migration_refuses_it_too(latin: str):
    with pytest.raises(WrongEncoding):
        upgrade(latin)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"postgresql://amends:hush-hush@127.0.0.1:{listening.getsockname()[1]}/amends"


def test_a_server_that_never_answers_is_not_waited_for_without_end(silent: str, tmp_path: Path):
    told = command_line(tmp_path, silent, database_patience_seconds="1").process("keys", "list")
    assert told.code == 1
    assert told.err.startswith("unavailable: the database cannot be reached: ")
    assert len(told.err.splitlines()) == 1
    assert "hush-hush" not in told.err


def test_nor_is_it_by_a_migration(silent: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("infrastructure.migrate.CONNECT_WITHIN_SECONDS", 2)
    with pytest.raises(DBAPIError) as fault:
        upgrade(silent)
    assert (hindrance(fault.value) or "").startswith("unavailable: the database cannot be reached: ")


def test_an_address_with_an_at_sign_in_the_password_shows_no_piece_of_it(tmp_path: Path):
    told = command_line(tmp_path, "postgresql://amends:hush@hush@127.0.0.1/amends").process("keys", "list")
    assert (told.code, told.err) == (
        1,
        "invalid_value: AMENDS_DATABASE_URL: in user and password write @ as %40 and / as %2F\n",
    )


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_that_would_keep_nothing_is_refused(tmp_path: Path, address: str):
    told = command_line(tmp_path, address).process("migrate")
    assert (told.code, told.err) == (
        1,
        "invalid_value: AMENDS_DATABASE_URL: it keeps nothing; a file is named as in sqlite:///amends.db\n",
    )
    assert not (tmp_path / "amends.key").exists()


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("amends:hush-hush@127.0.0.1/amends?sslmod=require", 'invalid connection option "sslmod"'),
        ("amends:hush-hush@127.0.0.1:abc/amends", "its port is no number"),
        ("amends:hush-hush@127.0.0.1:/amends", "its port is no number"),
    ],
)
def test_an_address_that_cannot_be_meant_is_said_in_one_line_without_the_password(
    tmp_path: Path, address: str, line: str
):
    told = command_line(tmp_path, f"postgresql://{address}").process("keys", "list")
    assert told.code == 1
    assert told.err.startswith("invalid_value: AMENDS_DATABASE_URL: ")
    assert told.err.endswith(f"{line}\n")
    assert len(told.err.splitlines()) == 1
    assert "hush-hush" not in told.err


def test_a_host_that_nobody_knows_is_said_in_one_line(amends: CommandLine):
    told = amends.process("serve", "--host", "nohost.invalid", "--port", "0")
    assert told.code == 1
    assert told.err.startswith("cannot_listen: nohost.invalid:0: ")
    assert "Unknown error" not in told.err
    assert len(told.err.splitlines()) == 1


@pytest.mark.parametrize("verb", [*EVERY_START, ("openapi",)])
def test_a_setting_that_does_not_exist_is_refused_by_name_and_the_nearest_one_told(
    tmp_path: Path, verb: tuple[str, ...]
):
    misspelt = {"AMENDS_METRIC": "a secret", "AMENDS_PROT": "1", "AMENDS_QUIXOTIC": "1"}
    with pytest.raises(UnknownSettings) as refused:
        CommandLine(tmp_path, misspelt)(*verb)
    assert str(refused.value) == (
        "there is no setting AMENDS_METRIC (AMENDS_METRICS?), AMENDS_PROT (AMENDS_PORT?), AMENDS_QUIXOTIC"
    )


def test_such_a_setting_ends_a_start_in_one_line(tmp_path: Path):
    told = CommandLine(tmp_path, {"AMENDS_METRIC": "off"}).process("serve", "--port", "0")
    assert (told.code, told.err) == (1, "invalid_value: there is no setting AMENDS_METRIC (AMENDS_METRICS?)\n")


def test_settings_of_the_tests_and_of_others_are_no_concern_of_ours(tmp_path: Path):
    others = {"AMENDS_SOAK": "1", "AMENDS_WRITE_DOCS": "1", "AMENDS_TEST_DATABASE_URL": "", "AMENDS": "http://x"}
    links = {
        "AMENDS_WEB_SERVICE_HOST": "10.0.0.11",
        "AMENDS_WEB_SERVICE_PORT": "8080",
        "AMENDS_WEB_SERVICE_PORT_HTTP": "8080",
        "AMENDS_WEB_PORT": "tcp://10.0.0.11:8080",
        "AMENDS_WEB_PORT_8080_TCP_ADDR": "10.0.0.11",
    }
    assert CommandLine(tmp_path, others | links)("migrate").code == 0


def _with_option(address: str, option: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}options=-c%20{option}"
