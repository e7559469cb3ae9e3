"""The schema is made by the migrations alone, and says what the tables in the code say."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from eventsourcing.persistence import StoredEvent
from sqlalchemy import inspect, text

from infrastructure.engine import make_engine
from infrastructure.key_file import KeysBroken, create_secrets
from infrastructure.library import SQLAlchemyRecorder
from infrastructure.migrate import NewerSchema, NotMigrated, check, configured, migrate, scripts, upgrade
from infrastructure.settings import Settings
from tests.support.databases import Server

Start = Callable[[Settings], None]
PROJECT = Path(__file__).resolve().parents[2]


def test_the_migrations_say_the_same_as_the_tables(database: str):
    with configured(database) as config:
        command.check(config)


def test_migrating_twice_changes_nothing(database: str):
    upgrade(database)
    with configured(database) as config:
        command.check(config)


def test_there_is_one_line_of_migrations():
    assert len(ScriptDirectory(str(scripts())).get_heads()) == 1


def test_every_key_begins_with_the_ledger(database: str):
    engine = make_engine(database)
    found = inspect(engine)
    spanning = {"alembic_version", "key_check"}
    for table in set(found.get_table_names()) - spanning:
        assert found.get_pk_constraint(table)["constrained_columns"][0] == "ledger", table
        unique = [key["column_names"] for key in found.get_unique_constraints(table)]
        unique += [index["column_names"] for index in found.get_indexes(table) if index["unique"]]
        assert all(columns[0] == "ledger" for columns in unique), table
    engine.dispose()


def test_the_folder_of_migrations_is_no_package():
    # A package called alembic would stand before the library of that name.
    assert not (PROJECT / "alembic" / "__init__.py").exists()
    assert not (PROJECT / "alembic" / "versions" / "__init__.py").exists()


def test_a_failing_migration_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = f"sqlite:///{tmp_path / 'amends.db'}"
    monkeypatch.setattr(command, "upgrade", _upgrade_then_fail(command.upgrade))
    with pytest.raises(ZeroDivisionError):
        upgrade(url)
    engine = make_engine(url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def _upgrade_then_fail(really):
    def fail(*args: object) -> None:
        really(*args)
        raise ZeroDivisionError

    return fail


def settings(url: str, folder: Path, key: str = "amends.key") -> Settings:
    return Settings(database_url=url, key_file=folder / key)


class TestTheKeyFile:
    def test_is_made_with_the_database_and_only_its_owner_can_read_it(self, database: str, tmp_path: Path):
        migrate(settings(database, tmp_path))
        assert (tmp_path / "amends.key").stat().st_mode & 0o777 == 0o600
        check(settings(database, tmp_path))

    def test_stays_as_it_is_when_migrating_again(self, database: str, tmp_path: Path):
        migrate(settings(database, tmp_path))
        made = (tmp_path / "amends.key").read_bytes()
        migrate(settings(database, tmp_path))
        assert (tmp_path / "amends.key").read_bytes() == made

    def test_is_never_made_a_second_time_for_the_same_database(self, database: str, tmp_path: Path):
        migrate(settings(database, tmp_path))
        (tmp_path / "amends.key").unlink()
        with pytest.raises(KeysBroken):
            migrate(settings(database, tmp_path))
        assert not (tmp_path / "amends.key").exists()

    @pytest.mark.parametrize("start", [migrate, check])
    def test_of_another_database_is_refused(
        self, database: str, tmp_path: Path, start: Callable[[Settings], None]
    ):
        migrate(settings(database, tmp_path))
        create_secrets(tmp_path / "another.key")
        with pytest.raises(KeysBroken, match="not the key of this database"):
            start(settings(database, tmp_path, "another.key"))

    def test_put_there_by_the_operator_is_taken(self, database: str, tmp_path: Path):
        create_secrets(tmp_path / "amends.key")
        put_there = (tmp_path / "amends.key").read_bytes()
        migrate(settings(database, tmp_path))
        assert (tmp_path / "amends.key").read_bytes() == put_there

    def test_is_not_made_for_a_database_that_holds_events(self, database: str, tmp_path: Path):
        engine = make_engine(database)
        SQLAlchemyRecorder(engine).insert_events([StoredEvent(UUID(int=1), 1, "topic", b"state")])
        engine.dispose()
        with pytest.raises(KeysBroken, match="holds events"):
            migrate(settings(database, tmp_path))
        assert not (tmp_path / "amends.key").exists()


def test_a_database_without_a_schema_is_no_place_to_start(tmp_path: Path):
    with pytest.raises(NotMigrated, match="amends migrate"):
        check(settings(f"sqlite:///{tmp_path / 'amends.db'}", tmp_path))


@pytest.mark.parametrize("start", [migrate, check])
def test_a_database_of_a_newer_program_is_refused_and_left_as_it_is(database: str, tmp_path: Path, start: Start):
    migrate(settings(database, tmp_path))
    engine = make_engine(database)
    with engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerSchema, match="at 9999, newer than this program") as told:
        start(settings(database, tmp_path))
    # What is no help here: it would be tried again and again.
    assert "amends migrate" not in str(told.value)
    with engine.connect() as conn:
        assert conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"
    engine.dispose()


def test_a_migrated_database_without_a_key_is_no_place_to_start(database: str, tmp_path: Path):
    with pytest.raises(KeysBroken, match="amends migrate"):
        check(settings(database, tmp_path))


def test_several_who_migrate_at_once_make_one_schema_and_one_key(postgres_server: Server, tmp_path: Path):
    name = postgres_server.create()
    wanted = settings(postgres_server.url(name), tmp_path)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(in_a_process_of_its_own, wanted) for _ in range(2)]:
            assert done.result() == 0
    check(wanted)
    postgres_server.drop(name)


def in_a_process_of_its_own(wanted: Settings) -> int:
    # Alembic keeps the running migration in module globals: threads of one process would share it.
    program = "from infrastructure import migrate, settings; migrate.migrate(settings.Settings())"
    env = os.environ | {"AMENDS_DATABASE_URL": wanted.database_url, "AMENDS_KEY_FILE": str(wanted.key_file)}
    return subprocess.run([sys.executable, "-c", program], env=env, cwd=PROJECT, check=False).returncode
