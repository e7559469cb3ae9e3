"""The measurements themselves: every part runs (in small), and says what it must reach and whether it does."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import (
    batches,
    freshness,
    http,
    loading,
    peers,
    processes,
    projector,
    reading,
    rebuild,
    recorder,
    sqlite,
    town,
    writer,
)
from tests.bench.__main__ import PARTS, main, write
from tests.bench.happenings import copies, happenings
from tests.bench.peers import Peer
from tests.bench.place import Place
from tests.bench.rounds import Absent, NotHere, Rates, Result, compared, interleaved, table
from tests.bench.workload import NOTE, choices
from tests.support.databases import Server

FAST = Result("of raw COPY", (0.5, 0.7, 0.6), {"ours": (5.0, 7.0, 6.0), "raw": (10.0, 10.0, 10.0)}, 0.55)
SLOW = Result("of raw INSERT", (0.5,), {}, 0.8)
OPEN = Result("of a raw read", (0.1,), {})
LEAN = Result("memory", (380.0, 410.0, 390.0), bar=400.0, unit="MB", at_most=True)
GONE = Absent("of stock", "not installed", 2.0)
SMALL = {
    recorder: {"A_TRANSACTION": 20, "TRANSACTIONS": 2, "PEERS_TRANSACTIONS": dict.fromkeys(peers.NAMES, 1)},
    writer: {"CUSTOMERS": 20, "COMMANDS": 64, "INSERTS": 32, "SAVES": 32},
    projector: {"EVENTS": 200, "CUSTOMERS": 10, "BUSY": 2, "COUNTED": 20},
    loading: {"RELATIONSHIPS": 2, "TIMES": 1, "CACHED_TIMES": 2},
    rebuild: {"EVENTS": 100, "COPIES": 2},
    http: {"POSTS": 64},
    batches: {"BATCHES": 2, "BATCH": 20},
    freshness: {"SECONDS": 0.5},
    reading: {"GETS": 64},
    sqlite: {"POSTS": 64, "INSERTS": 16, "EVENTS": 200, "CUSTOMERS": 10},
    town: {"BATCH": 20},
    processes: {"CUSTOMERS": 20, "COMMANDS": 64, "CALLERS": 8, "SHARED": {2: 0.8}, "LEDGERS": (1, 2)},
}
"""What makes each part small."""


def test_the_value_is_the_median_of_the_rounds():
    assert FAST.value == 0.6


def test_a_result_holds_when_its_median_reaches_its_bar():
    assert [one.holds for one in (FAST, SLOW, OPEN)] == [True, False, None]


def test_where_less_is_better_a_result_holds_when_its_median_does_not_pass_its_bar():
    fat = Result("memory", (401.0,), bar=400.0, unit="MB", at_most=True)
    assert [LEAN.holds, fat.holds] == [True, False]


def test_ratios_are_taken_round_by_round():
    ratios = compared("", Rates({"ours": (2.0, 9.0), "raw": (4.0, 10.0)}), "ours", "raw")
    assert isinstance(ratios, Result)
    assert ratios.rounds == (0.5, 0.9)


def test_contenders_take_turns():
    turns: list[str] = []

    def contender(name: str):
        def prepare(number: int):
            turns.append(f"{name}{number}")
            return lambda: 1

        return prepare

    rates = interleaved({"a": contender("a"), "b": contender("b")}, 3)
    assert turns == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert {name: len(found) for name, found in rates.items()} == {"a": 3, "b": 3}


def test_who_is_not_here_is_named_and_the_others_go_on():
    def away(number: int):
        raise NotHere("its wheel does not fit")

    rates = interleaved({"a": lambda number: lambda: 1, "away": away}, 2)
    assert list(rates) == ["a"]
    assert compared("a of away", rates, "a", "away", 2.0) == Absent("a of away", "its wheel does not fit", 2.0)


def test_the_table_says_which_bars_are_missed_and_who_was_not_here():
    told = table({"B1": [FAST, GONE], "B2": [SLOW, OPEN], "B8": [LEAN]}).splitlines()[1:]
    assert [line.split()[0] for line in told] == ["B1", "B1", "B2", "B2", "B8"]
    assert told[0].split()[-3:] == ["0.60", "0.55", "holds"]
    assert told[1].split()[-4:] == ["absent", "2.00", "not", "installed"]
    assert told[2].split()[-3:] == ["0.50", "0.80", "MISSED"]
    assert told[3].endswith("0.10")
    assert told[4].split()[-5:] == ["390", "<=", "400", "MB", "holds"]


def test_a_run_is_kept_with_its_conditions(tmp_path: Path):
    path = tmp_path / "build" / "bench.json"
    write(path, {"cores": 2}, {"B1": [FAST, GONE]})
    kept = json.loads(path.read_text())
    assert kept["conditions"] == {"cores": 2}
    assert kept["B1"] == [
        {
            "what": "of raw COPY",
            "value": 0.6,
            "bar": 0.55,
            "holds": True,
            "rounds": [0.5, 0.7, 0.6],
            "rates": {"ours": [5, 7, 6], "raw": [10, 10, 10]},
        },
        {"what": "of stock", "value": None, "bar": 2.0, "holds": None, "peer absent": "not installed"},
    ]


def test_four_fifths_of_the_commands_are_about_the_busy_customers():
    drawn = choices(1, 10_000)
    busy = sum(one < 2_000 for one in drawn)
    assert 0.82 < busy / len(drawn) < 0.86  # a fifth of the other fifth falls on them too
    assert len(NOTE.encode()) == 200


def test_copies_of_histories_share_no_id_and_keep_the_order_of_each_customer():
    facts = list(happenings(60, 5, 2))
    twice = list(copies(facts, 2))
    assert [one.position for one in twice] == list(range(1, 121))
    assert len({one.event_id for one in twice}) == 120
    streams = {one.stream_id: [] for one in twice}
    for one in twice:
        streams[one.stream_id].append(one.version)
    assert len(streams) == 2 * len({one.stream_id for one in facts})
    assert all(versions == list(range(1, len(versions) + 1)) for versions in streams.values())


def test_the_lock_of_the_peers_names_no_address_and_hashes_everything():
    lines = peers.LOCK.read_text().splitlines()
    pinned = [line for line in lines if "==" in line and not line.lstrip().startswith("#")]
    assert {line.partition("==")[0] for line in pinned} >= set(peers.NAMES.values())
    assert all(lines[lines.index(line) + 1].lstrip().startswith("--hash=sha256:") for line in pinned)
    assert not any("://" in line or "file:" in line for line in lines)


def test_a_part_nobody_knows_is_named(capsys: pytest.CaptureFixture[str]):
    assert main(["B1,B99"]) == 2
    assert capsys.readouterr().err == f"there is no part B99; there are {', '.join(PARTS)}\n"


@pytest.fixture
def grumbling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    """A peer in an environment of its own: it counts, prints what nobody asked for, refuses and ends."""
    home, scripts = tmp_path / "peers", tmp_path / "scripts"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").symlink_to(sys.executable)
    scripts.mkdir()
    shutil.copy(peers.SCRIPTS / "answering.py", scripts)
    (scripts / "grumbling_peer.py").write_text(
        "import os, sys\n"
        "from answering import answer\n"
        "def refuse(number, settings): raise ValueError('not with me')\n"
        "def count(number, settings):\n"
        "    print('counting')\n"
        "    return lambda: number + settings['more']\n"
        "def end(number, settings): return lambda: os._exit(1)\n"
        "answer({'count': count, 'refuse': refuse, 'end': end})\n"
    )
    for name, path in (("HOME", home), ("SCRIPTS", scripts), ("READY", home / ".ready")):
        monkeypatch.setattr(peers, name, path)
    peers.READY.write_text(peers.LOCK.read_text())
    peer = Peer("grumbling", "postgresql+psycopg:///nowhere", tmp_path)
    yield peer
    peer.close()


def test_a_peer_works_in_its_turn_whatever_it_prints(grumbling: Peer):
    contender = grumbling.contender("count", lambda number: {"more": 40})
    assert [contender(number)() for number in (1, 2)] == [41, 42]


def test_a_peer_that_refuses_or_ends_is_absent_with_its_reason(grumbling: Peer):
    ways = {way: grumbling.contender(way, lambda number: {}) for way in ("refuse", "end")}
    rates = interleaved(ways | {"ours": lambda number: lambda: 1}, 2)
    assert list(rates) == ["ours"]
    assert rates.absent == {"refuse": "ValueError: not with me", "end": "it ended: without a word"}


def test_without_their_environment_peers_are_absent_and_say_what_makes_it(
    grumbling: Peer, monkeypatch: pytest.MonkeyPatch
):
    peers.READY.unlink()
    rates = interleaved({"count": grumbling.contender("count", lambda number: {})}, 1)
    assert rates.absent == {"count": "not installed: `make bench` does it"}


@pytest.mark.parametrize(
    # B10 is other parts' code once more, on SQLite.
    "part",
    [pytest.param(part, marks=pytest.mark.soak) if part == "B10" else part for part in PARTS],
)
def test_every_part_runs_in_small(
    part: str, postgres_server: Server, postgres_template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for module, small in SMALL.items():
        for name, value in small.items():
            monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(writer, "choices", lambda seed, n: choices(seed, n, 20, 4))
    found = PARTS[part](Place(postgres_server, postgres_template, tmp_path, rounds=2))
    assert found
    for one in found:
        if isinstance(one, Absent):
            assert one.why
        else:
            assert one.value > 0
