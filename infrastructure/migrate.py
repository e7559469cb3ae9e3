"""Bringing a database to the newest schema, and making the key file that belongs to it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from hmac import compare_digest
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select
from sqlalchemy.pool import NullPool

from domain.errors import Broken
from infrastructure.engine import begin_writing, make_engine
from infrastructure.key_file import KeysBroken, create_secrets
from infrastructure.keys import Keyring
from infrastructure.settings import Settings
from infrastructure.tables import heads, key_check

CONNECT_WITHIN_SECONDS: Final = 8
_LOCK: Final = 0x616D656E6473  # "amends": any number, as long as every process takes the same


class NotMigrated(Broken):
    """The database is not of the schema this program was written for."""

    code = "not_migrated"

    def __init__(self, at: str, wanted: str) -> None:
        super().__init__(f"the database is at {at}, this program needs {wanted}; run: amends migrate")
        self.at, self.wanted = at, wanted


class NewerSchema(Broken):
    """The database is of a schema that only a newer program knows."""

    code = "newer_schema"

    def __init__(self, at: str) -> None:
        super().__init__(f"the database is at {at}, newer than this program; run the version that migrated it")
        self.at = at


class WrongEncoding(Broken):
    """The database cannot hold every letter that a customer may write."""

    code = "wrong_encoding"

    def __init__(self, found: str) -> None:
        super().__init__(f"the database holds {found}, this program needs UTF8")
        self.found = found


def scripts() -> Path:
    """Where the migrations stand: inside the installed package, else in the project beside it."""
    here = Path(__file__).resolve().parent
    installed = here / "migrations"
    return installed if (installed / "env.py").exists() else here.parent / "alembic"


@cache
def _steps() -> ScriptDirectory:
    """The migrations of this program, read once: to read them takes longer than to see that none is due."""
    return ScriptDirectory(str(scripts()))


def _config(conn: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    config.attributes["connection"] = conn
    return config


@contextmanager
def configured(url: str) -> Iterator[Config]:
    """Alembic, pointed at this database inside one transaction, for commands as upgrade and check."""
    # How long a migration takes nobody knows; that somebody answers it does.
    engine = make_engine(url, connect_within_seconds=CONNECT_WITHIN_SECONDS, poolclass=NullPool)
    try:
        with engine.connect() as conn, begin_writing(conn):
            _refuse_other_letters(conn)
            _wait_for_turn(conn)
            yield _config(conn)
    finally:
        engine.dispose()


def upgrade(url: str) -> None:
    """Brings the database to the newest schema: all of it or nothing; several processes wait for each other."""
    with configured(url) as config:
        _upgrade(config)


def migrate(settings: Settings) -> None:
    """A database of the newest schema and the key file that belongs to it, both made where there is neither.

    Raises WrongEncoding, NewerSchema when a newer program migrated it, KeysBroken when the key file is absent
    though the database has seen one, or is another one.
    """
    with configured(settings.database_url) as config:
        _upgrade(config)
        conn: Connection = config.attributes["connection"]
        if _stored_check(conn) is None:
            _adopt_key(conn, settings.key_file)
        _agree(conn, settings.key_file)


def check(settings: Settings) -> None:
    """Returns when the program may start on this database, and changes nothing.

    Raises NotMigrated when the schema is older than this program's; WrongEncoding, NewerSchema and KeysBroken as
    `migrate` does.
    """
    engine = make_engine(
        settings.database_url, patience_seconds=settings.database_patience_seconds, poolclass=NullPool
    )
    try:
        with engine.connect() as conn:
            _refuse_other_letters(conn)
            at, wanted = _known(conn), _steps().get_heads()
            if set(at) != set(wanted):
                raise NotMigrated(", ".join(at) or "empty", ", ".join(wanted))
            _agree(conn, settings.key_file)
    finally:
        engine.dispose()


def _refuse_other_letters(conn: Connection) -> None:
    if conn.dialect.name != "postgresql":
        return
    found = str(conn.exec_driver_sql("SHOW server_encoding").scalar_one())
    if found != "UTF8":
        raise WrongEncoding(found)


def _known(conn: Connection) -> Sequence[str]:
    """Where the database stands. Raises NewerSchema when this program has never heard of that."""
    at = MigrationContext.configure(conn).get_current_heads()
    known = {one.revision for one in _steps().walk_revisions()}
    if unknown := sorted(set(at) - known):
        raise NewerSchema(", ".join(unknown))
    return at


def _upgrade(config: Config) -> None:
    if set(_known(config.attributes["connection"])) == set(_steps().get_heads()):
        return
    config.attributes["upgrading"] = True  # so that no table of today's code is looked at
    command.upgrade(config, "head")


def _stored_check(conn: Connection) -> bytes | None:
    return conn.execute(select(key_check.c.value)).scalar_one_or_none()


def _adopt_key(conn: Connection, key_file: Path) -> None:
    """Binds this database to the key file, making one where there is none."""
    if conn.execute(select(heads.c.ledger)).first() is not None:
        raise KeysBroken("the database holds events, and no check value of the key they were written with")
    # A file that is there already was put there by the operator, or by a migration that failed after this line.
    if not key_file.exists():
        create_secrets(key_file)
    conn.execute(insert(key_check).values(id=1, value=Keyring(key_file).check_value()))


def _agree(conn: Connection, key_file: Path) -> None:
    stored = _stored_check(conn)
    if stored is None:
        raise KeysBroken("this database has no key yet; run: amends migrate")
    if not compare_digest(stored, Keyring(key_file).check_value()):
        raise KeysBroken(f"{key_file} is not the key of this database")


def _wait_for_turn(conn: Connection) -> None:
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
