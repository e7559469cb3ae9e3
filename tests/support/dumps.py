"""Copies of a database as an operator takes them, and what is made of them elsewhere."""

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import make_url

from tests.support.clusters import program
from tests.support.databases import Server


def dump(database: str, to: Path) -> None:
    """Writes a dump of this PostgreSQL database, as it is now, to this file."""
    _run("pg_dump", "--format=custom", "--file", str(to), libpq(database))


def copy_of_file(database: str, to: Path) -> None:
    """Writes a copy of this SQLite database, as it is now, to this file."""
    with closing(sqlite3.connect(make_url(database).database or "")) as conn:
        conn.execute("VACUUM INTO ?", (str(to),))


@contextmanager
def restored(dump: Path, server: Server) -> Iterator[str]:
    """The address of a new database on this server, made from this dump; afterwards it is gone."""
    name = server.create()
    try:
        _run("pg_restore", "--no-owner", "--exit-on-error", "--dbname", libpq(server.url(name)), str(dump))
        yield server.url(name)
    finally:
        server.drop(name)


def libpq(url: str) -> str:
    """The address as PostgreSQL's own programs take it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _run(name: str, *arguments: str) -> None:
    """Runs a program of PostgreSQL's, which must end well."""
    done = subprocess.run([program(name), *arguments], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
