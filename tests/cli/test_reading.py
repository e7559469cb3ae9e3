"""replay, rebuild, openapi and schema: what is there, told again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from api.container import Container
from domain.kinds import Fact
from infrastructure.settings import Settings
from projections import ALL
from tests.support.commands import CommandLine

Demo = tuple[CommandLine, dict[str, object]]
NOBODY = "0192e4a0-7c3a-7b21-9f10-2f6f3c1d0a42"


@contextmanager
def container(amends: CommandLine) -> Iterator[Container]:
    names = {name.removeprefix("AMENDS_").lower(): value for name, value in amends.settings.items()}
    files = {"database_url": f"sqlite:///{amends.folder / 'amends.db'}", "key_file": amends.folder / "amends.key"}
    made = Container(Settings(**(files | names)))
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def busiest(demo: Demo) -> tuple[str, list[Fact]]:
    """The customer with the longest story of the demo, and the story."""
    with container(demo[0]) as parts:
        facts = parts.ledger.facts(0, 10_000)
        stories: dict[UUID, list[Fact]] = {}
        for fact in facts:
            stories.setdefault(fact.stream_id, []).append(fact)
    longest = max(stories.values(), key=len)
    return str(longest[0].stream_id), longest


def test_replay_tells_the_whole_story_and_the_score(demo: Demo, busiest: tuple[str, list[Fact]]):
    customer, facts = busiest
    lines = demo[0]("replay", customer).out.splitlines()
    assert len(lines) == len(facts) + 1
    assert [line.split()[-1] for line in lines[:-1]] == [fact.event.TYPE for fact in facts]
    assert lines[-1].startswith(f"version {len(facts)}, score ")


def test_replay_at_a_version_stops_there(demo: Demo, busiest: tuple[str, list[Fact]]):
    customer, facts = busiest
    told = demo[0]("replay", customer, "--at", "3", "--json").json
    assert told["version"] == 3
    assert [one["type"] for one in told["timeline"]] == [fact.event.TYPE for fact in facts[:3]]


def test_replay_at_a_time_knows_what_was_recorded_by_then(demo: Demo, busiest: tuple[str, list[Fact]]):
    customer, facts = busiest
    when = facts[4].recorded_at
    known = [fact for fact in facts if fact.recorded_at <= when]
    told = demo[0]("replay", customer, "--at", when.isoformat(), "--json").json
    assert told["version"] == len(known)
    assert told["as_of"] == when.isoformat().replace("+00:00", "Z")


def test_replay_compares_two_moments(demo: Demo, busiest: tuple[str, list[Fact]]):
    customer, _ = busiest
    told = demo[0]("replay", customer, "--diff", "2", "5", "--json").json
    assert (told["from"]["version"], told["to"]["version"]) == (2, 5)
    assert [one["version"] for one in told["added"]] == [3, 4, 5]
    words = demo[0]("replay", customer, "--diff", "2", "5").out.splitlines()
    assert len(words) == 4
    assert " -> score " in words[-1]


def test_a_quiet_replay_still_shows_what_was_asked_for(demo: Demo, busiest: tuple[str, list[Fact]]):
    assert demo[0]("replay", busiest[0], "--quiet").out == demo[0]("replay", busiest[0]).out != ""


@pytest.mark.parametrize("words", [[NOBODY], [NOBODY, "--at", "2026-03-02T09:00:00Z"]])
def test_replay_of_somebody_unknown_ends_with_exit_code_4(demo: Demo, words: list[str]):
    told = demo[0]("replay", *words, code=4)
    assert told.err == "there is no such customer\n"


def test_replay_of_a_version_that_is_not_there_yet_ends_with_exit_code_4(
    demo: Demo, busiest: tuple[str, list[Fact]]
):
    told = demo[0]("replay", busiest[0], "--at", "9999", code=4)
    assert told.err == "there is no such version\n"


@pytest.mark.parametrize("point", ["yesterday", "2026-03-02T09:00:00"])
def test_replay_at_what_is_neither_a_version_nor_a_time_is_a_wrong_use(
    demo: Demo, busiest: tuple[str, list[Fact]], point: str
):
    demo[0]("replay", busiest[0], "--at", point, code=2)


@pytest.mark.parametrize("name", ["satisfaction", "all"])
def test_rebuild_folds_anew_and_the_answers_stay_the_same(demo: Demo, busiest: tuple[str, list[Fact]], name: str):
    amends, _ = demo
    before = amends("replay", busiest[0], "--json").out
    assert amends("rebuild", name).out == f"Rebuilt: {name}.\n"
    assert amends("rebuild", name, "--json").json == {"rebuilt": name, "parked": []}
    assert amends("rebuild", name, "--quiet").out == ""
    assert amends("replay", busiest[0], "--json").out == before
    with container(amends) as parts:
        assert parts.projector.lag() == 0


def test_rebuild_of_a_projection_nobody_has_ends_with_exit_code_4(demo: Demo):
    told = demo[0]("rebuild", "horoscope", code=4)
    names = ", ".join(one.name for one in ALL)
    assert told.err == f"there is no projection horoscope; there are {names}\n"


def test_openapi_prints_the_document(tmp_path: Path):
    told = CommandLine(tmp_path, {})("openapi", "--json", "--quiet").json
    assert told["openapi"].startswith("3.1")
    assert "/v1/customers/{customer_id}/apologise" in told["paths"]


def test_schema_lists_the_types_and_prints_one(tmp_path: Path):
    amends = CommandLine(tmp_path, {})
    assert "amends.failure.reported.v1" in amends("schema").json["types"]
    event = amends("schema", "amends.failure.reported.v1", "--json").json
    assert event["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "recovery_id" in event["required"]
    command = amends("schema", "amends.failure.reported.v1", "--command", "--quiet").json
    assert sorted(command["required"]) == ["description", "what"]


def test_schema_of_an_unknown_type_ends_with_exit_code_4(tmp_path: Path):
    told = CommandLine(tmp_path, {})("schema", "amends.horoscope.cast.v1", code=4)
    assert told.err == "there is no type amends.horoscope.cast.v1\n"
