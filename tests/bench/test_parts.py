"""The measurements themselves: every part runs (in small), and says what it must reach and whether it does."""

import json
from pathlib import Path

import pytest

from tests.bench import projector, recorder, writer
from tests.bench.__main__ import PARTS, main, write
from tests.bench.place import Place
from tests.bench.rounds import Result, compared, interleaved, table
from tests.bench.workload import SUMMARY, choices
from tests.support.databases import Server

FAST = Result("of raw COPY", (0.5, 0.7, 0.6), {"ours": (5.0, 7.0, 6.0), "raw": (10.0, 10.0, 10.0)}, 0.55)
SLOW = Result("of raw INSERT", (0.5,), {}, 0.8)
OPEN = Result("of a raw read", (0.1,), {})


def test_the_value_is_the_median_of_the_rounds():
    assert FAST.value == 0.6


def test_a_result_holds_when_its_median_reaches_its_bar():
    assert [one.holds for one in (FAST, SLOW, OPEN)] == [True, False, None]


def test_ratios_are_taken_round_by_round():
    ratios = compared("", {"ours": (2.0, 9.0), "raw": (4.0, 10.0)}, "ours", "raw").rounds
    assert ratios == (0.5, 0.9)


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


def test_the_table_says_which_bars_are_missed():
    told = table({"B1": [FAST], "B2": [SLOW, OPEN]}).splitlines()[1:]
    assert [line.split()[0] for line in told] == ["B1", "B2", "B2"]
    assert told[0].endswith("0.60   0.55 holds")
    assert told[1].endswith("0.50   0.80 MISSED")
    assert told[2].endswith("0.10")


def test_a_run_is_kept_with_its_conditions(tmp_path: Path):
    path = tmp_path / "build" / "bench.json"
    write(path, {"cores": 2}, {"B1": [FAST]})
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
        }
    ]


def test_four_fifths_of_the_commands_are_about_the_busy_customers():
    drawn = choices(1, 10_000)
    busy = sum(one < 2_000 for one in drawn)
    assert 0.82 < busy / len(drawn) < 0.86  # a fifth of the other fifth falls on them too
    assert len(SUMMARY.encode()) == 200


def test_a_part_nobody_knows_is_named(capsys: pytest.CaptureFixture[str]):
    assert main(["B1,B99"]) == 2
    assert capsys.readouterr().err == "there is no part B99; there are B1, B2, B5\n"


@pytest.mark.parametrize("part", list(PARTS))
def test_every_part_runs_in_small(
    part: str, postgres_server: Server, postgres_template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for module, small in (
        (recorder, {"A_TRANSACTION": 20, "TRANSACTIONS": 2}),
        (writer, {"CUSTOMERS": 20, "COMMANDS": 64, "INSERTS": 32}),
        (projector, {"EVENTS": 200, "STREAMS": 10}),
    ):
        for name, value in small.items():
            monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(writer, "choices", lambda seed, n: choices(seed, n, 20, 4))
    found = PARTS[part](Place(postgres_server, postgres_template, tmp_path, rounds=2))
    assert found
    for one in found:
        assert one.value > 0
        assert len(one.rounds) == 2
