"""The throwaway PostgreSQL: it never outlives us, and starts where its user cannot reach the environment."""

import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.support import clusters, databases
from tests.support.databases import DURABLE, IMMEDIATE, Server, postgres

PROJECT = Path(__file__).resolve().parents[2]
WAITED_SECONDS = 30.0
PARENT = """
from tests.support.databases import postgres
with postgres() as server:
    print(server.pid, server.admin.query["host"], flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def _own_server(postgres_server: Server):
    if postgres_server.pid is None:
        pytest.skip(f"{databases.SERVER_SETTING} names a server that is not ours")


def test_it_dies_with_its_parent_however_that_dies():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    pid, folder = parent.stdout.readline().split()
    server = os.pidfd_open(int(pid))
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    ended, _, _ = select.select([server], [], [], WAITED_SECONDS)
    os.close(server)
    shutil.rmtree(folder)
    assert ended


def test_its_programs_are_copied_where_its_user_cannot_reach_them(monkeypatch: pytest.MonkeyPatch):
    really = clusters._runs
    wheels = []

    def only_copies(programs: Path, home: Path, user: object) -> bool:
        wheels.append(programs)
        return len(wheels) > 1 and really(programs, home, user)

    monkeypatch.setattr(clusters, "_runs", only_copies)
    with postgres() as server, psycopg.connect(server.url("postgres").replace("+psycopg", "")) as conn:
        assert conn.execute("SHOW fsync").fetchone() == ("off",)
    assert Path(server.admin.query["host"]) in wheels[1].parents


@pytest.mark.parametrize("how", [IMMEDIATE, signal.SIGKILL], ids=lambda how: how.name)
def test_it_can_be_crashed_and_started_again_at_the_same_address(how: signal.Signals):
    with postgres(DURABLE) as server:
        address = server.admin.set(drivername="postgresql").render_as_string(hide_password=False)
        with closing(psycopg.connect(address)) as conn:
            conn.execute("CREATE TABLE kept (n int)")
            conn.execute("INSERT INTO kept VALUES (1)")
            conn.commit()
            conn.execute("INSERT INTO kept VALUES (2)")
            server.crash(how)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(address)
        server.start()
        with closing(psycopg.connect(address)) as conn:
            assert conn.execute("SELECT n FROM kept").fetchall() == [(1,)]
