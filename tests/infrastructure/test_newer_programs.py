"""Two versions of the program on one ledger: an older writer decides nothing on what it cannot read."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from domain.errors import NewerProgramNeeded
from domain.kinds import EVENTS
from domain.moves.apology import Apologise
from domain.moves.remedy import PromiseRemedy
from domain.relationship import Relationship
from infrastructure.engine import writing
from infrastructure.states import SNAPSHOT_EVERY, load
from infrastructure.tables import events, snapshots
from tests.support.writing import Desk, desk, late

SORRY = Apologise(said="regret")
PROMISE = PromiseRemedy(remedy_kind="exchange")


@dataclass
class Town:
    """An older and a newer program on one ledger. The older one does not know apologies until it is updated."""

    older: Desk
    newer: Desk
    customer: UUID
    neighbour: UUID
    monkeypatch: pytest.MonkeyPatch

    def apologise(self) -> None:
        """The newer program records an apology to the customer."""
        self.newer.post(SORRY, self.customer, key="apology", said="sorry")
        self.monkeypatch.delitem(EVENTS, "apology.made")

    def update(self) -> None:
        """The older program is brought to the newer version."""
        self.monkeypatch.undo()

    def events_of(self, stream: UUID) -> int:
        with self.older.engine.connect() as conn:
            query = select(func.count()).select_from(events).where(events.c.stream_id == stream)
            return conn.execute(query).scalar_one()


@pytest.fixture(params=["cold", "warm"])
def town(
    request: pytest.FixtureRequest, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Town]:
    """Two customers, whom the older program keeps in memory, or must load."""
    with ExitStack() as open_:
        kept = 20_000 if request.param == "warm" else 0
        older = open_.enter_context(desk(database, tmp_path, states=kept))
        newer = open_.enter_context(desk(database, tmp_path, states=0))
        customer, neighbour = (older.post(late()).customer_id for _ in range(2))
        yield Town(older, newer, customer, neighbour, monkeypatch)


def test_an_older_program_decides_nothing_on_a_customer_whom_a_newer_one_wrote_to(town: Town) -> None:
    town.apologise()
    before = town.events_of(town.customer)
    for _ in range(2):
        with pytest.raises(NewerProgramNeeded):
            town.older.post(PROMISE, town.customer)
    assert town.events_of(town.customer) == before


def test_nor_does_it_let_time_take_effect_on_him(town: Town) -> None:
    town.apologise()
    before = town.events_of(town.customer)
    town.older.clock.forward(days=30)
    with pytest.raises(NewerProgramNeeded):
        town.older.post(None, town.customer)
    assert town.events_of(town.customer) == before


def test_everybody_else_of_the_same_page_is_served(town: Town) -> None:
    town.apologise()
    before = town.events_of(town.neighbour)
    asked = [town.older.order(PROMISE, whom) for whom in (town.neighbour, town.customer, town.neighbour)]
    answered = town.older.writer.hand_over(asked, lambda: None)
    town.older.writer.stop()  # finishes what it accepted
    first, refused, second = answered.answers()
    assert isinstance(refused, NewerProgramNeeded)
    assert [first.version, second.version] == [before + 1, before + 2]  # type: ignore[union-attr]


def test_what_a_newer_program_answered_is_repeated_by_one_that_can_read_it_alone(town: Town) -> None:
    town.apologise()
    with pytest.raises(NewerProgramNeeded):
        town.older.post(SORRY, town.customer, key="apology", said="sorry")
    town.update()
    assert town.older.post(SORRY, town.customer, key="apology", said="sorry").replayed


def test_once_it_is_updated_it_decides_on_what_the_newer_one_recorded(town: Town) -> None:
    town.apologise()
    with pytest.raises(NewerProgramNeeded):
        town.older.post(PROMISE, town.customer)
    town.update()
    remedy = UUID(town.older.post(PROMISE, town.customer).ids["remedy_id"])
    with writing(town.older.engine) as conn:
        state = load(conn, town.older.mapper, "main", [town.customer], Relationship)[town.customer]
    (recovery,) = state.recoveries.values()
    assert recovery.apologised
    assert remedy in recovery.remedies


def test_no_snapshot_is_made_past_what_cannot_be_read(town: Town) -> None:
    while town.newer.post(PROMISE, town.customer).version < SNAPSHOT_EVERY - 2:
        pass
    town.apologise()
    for _ in range(2):
        with pytest.raises(NewerProgramNeeded):
            town.older.post(PROMISE, town.customer)
    with town.older.engine.connect() as conn:
        assert list(conn.scalars(select(snapshots.c.version))) == []
