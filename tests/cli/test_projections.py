"""rebuild, and the streams that a read model could not fold: seen, set free, or still stuck."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from api.container import Container
from domain.kinds import AMENDS, Fact
from infrastructure.orders import Order
from infrastructure.projector import Projector
from infrastructure.settings import Settings
from projections import ALL
from projections.satisfaction import SatisfactionState
from tests.support.commands import CommandLine
from tests.support.writing import ANSWER_WITHIN_SECONDS, late


class Misread(SatisfactionState):
    """The same read model with a fault in it: it cannot fold a failure."""

    def apply(self, rows: Any, fact: Fact) -> Any:
        if fact.event.TOPIC == "failure.reported":
            raise ArithmeticError("canary-words")
        return super().apply(rows, fact)


@contextmanager
def container(amends: CommandLine) -> Iterator[Container]:
    folder = amends.folder
    made = Container(Settings(database_url=f"sqlite:///{folder / 'amends.db'}", key_file=folder / "amends.key"))
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def stuck(amends: CommandLine) -> str:
    """The stream that a faulty program parked."""
    with container(amends) as parts:
        parts.start_writing()
        order = Order(command=late(), stream=None, actor=AMENDS, source="urn:test")
        customer = parts.writer.submit(order).result(ANSWER_WITHIN_SECONDS).customer_id
        Projector(parts.engine, parts.mapper, (Misread(), *ALL[1:])).catch_up()
    return str(customer)


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that runs has the fault in it, too."""
    monkeypatch.setattr("api.container.ALL", (Misread(), *ALL[1:]))


def test_parked_lists_which_stream_waits_from_which_event_on_and_why(amends: CommandLine, stuck: str) -> None:
    line = amends("projections", "parked").out
    assert line.startswith(f"satisfaction, stream {stuck}, event 2: ArithmeticError in ")
    assert amends("projections", "parked", "--quiet").out == line
    (one,) = amends("projections", "parked", "--json").json["parked"]
    assert (one["projection"], one["stream_id"], one["position"]) == ("satisfaction", stuck, 2)
    assert "canary" not in line


def test_parked_says_nothing_where_nothing_is_parked(amends: CommandLine) -> None:
    assert amends("projections", "parked").out == ""
    assert amends("projections", "parked", "--json").json == {"parked": []}


def test_release_after_the_fix_frees_the_stream(amends: CommandLine, stuck: str) -> None:
    assert amends("projections", "release").out == "1 streams released.\n"
    assert amends("projections", "release", "--json").json == {"released": 0, "parked": []}
    with container(amends) as parts:
        assert parts.vitals().parked["satisfaction"] == 0


def test_release_without_a_fix_names_what_is_still_parked_and_ends_with_exit_code_1(
    amends: CommandLine, stuck: str, faulty: None
) -> None:
    told = amends("projections", "release", code=1)
    assert told.out == "0 streams released.\n"
    assert told.err.startswith(f"parked: satisfaction, stream {stuck}, event 2: ArithmeticError in ")
    document = amends("projections", "release", "--json", code=1).json
    assert (document["released"], [one["stream_id"] for one in document["parked"]]) == (0, [stuck])


def test_a_rebuild_by_the_fixed_program_leaves_nothing_parked(amends: CommandLine, stuck: str) -> None:
    amends("rebuild", "satisfaction")
    assert amends("projections", "parked").out == ""


def test_a_rebuild_by_a_program_that_still_has_the_fault_ends_with_exit_code_1(
    amends: CommandLine, stuck: str, faulty: None
) -> None:
    told = amends("rebuild", "satisfaction", code=1)
    assert told.err.startswith(f"parked: satisfaction, stream {stuck}, event 2: ArithmeticError in ")
