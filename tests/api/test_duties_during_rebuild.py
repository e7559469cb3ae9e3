"""What time obliges us to do is done once, whether or not read models are being rebuilt meanwhile."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from infrastructure.projector import Projector
from projections import ALL
from projections.base import Source
from projections.recoveries import due_streams
from tests.support.http import Service, service

LATE = {"what": "late", "description": "the parcel did not come"}


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Service]:
    """A service of the test's own, on each database."""
    with service(database, tmp_path) as made:
        yield made


def complained(amends: Service, customers: int = 6) -> None:
    """So many customers complain; every second one hears from us at once."""
    for n in range(customers):
        customer = amends.customer(f"C-{n}")
        amends.post(f"/v1/customers/{customer}/report-failure", LATE)
        if n % 2:
            amends.post(f"/v1/customers/{customer}/apologise", {"said": "regret"})


def topics(amends: Service) -> list[str]:
    """What the ledger holds."""
    return [fact.event.TOPIC for fact in amends.container.ledger.facts(0, 10_000)]


def due(amends: Service, conn: Connection, generation: int) -> list[str]:
    """The customers about whom time has something to say, by this generation of the read model."""
    return sorted(map(str, due_streams(Source(conn, "main", generation), amends.clock(), 100)))


def test_a_rebuild_under_way_posts_nothing_of_its_own_and_hides_nothing_that_is_due(amends: Service) -> None:
    complained(amends)
    amends.project()
    parts = amends.container
    amends.clock.forward(days=20)
    asked, half_built = sorted(map(str, parts.due(amends.clock(), 100))), []
    posted, told = topics(amends), []

    def progress(position: int, head: int) -> None:
        assert sorted(map(str, parts.due(amends.clock(), 100))) == asked
        with parts.engine.connect() as conn:
            half_built.append(due(amends, conn, 2))
        told.append(topics(amends))

    slow = Projector(parts.engine, parts.mapper, ALL, clock=amends.clock, page=7)
    slow.rebuild("recoveries", progress)
    # A sweeper that read the rows being built would have been told something else.
    assert any(one != asked for one in half_built)
    assert half_built[-1] == asked != []
    assert all(one == posted for one in told)


def test_time_has_its_say_once_with_and_without_a_rebuild_under_way(amends: Service, tmp_path: Path) -> None:
    folder = tmp_path / "undisturbed"
    folder.mkdir()
    with service(f"sqlite:///{folder}/amends.db", folder) as undisturbed:
        complained(undisturbed)
        said = _said_in_twenty_days(undisturbed, rebuilding=False)
    complained(amends)
    assert _said_in_twenty_days(amends, rebuilding=True) == said
    assert said["deadline.missed"] > 0


def _said_in_twenty_days(amends: Service, *, rebuilding: bool) -> Counter[str]:
    """What the sweeper posted, by kind, sweeping once a day, in the middle of rebuilds or not."""
    before, parts = Counter(topics(amends)), amends.container
    slow = Projector(parts.engine, parts.mapper, ALL, clock=amends.clock, page=12)

    def sweep(*_: int) -> None:
        parts.projector.run_once()
        parts.sweeper.run_once()

    amends.project()
    for day in range(20):
        amends.clock.forward(days=1)
        sweep()
        if rebuilding and day % 6 == 0:
            slow.rebuild("recoveries", sweep)
    amends.project()
    sweep()
    return Counter(topics(amends)) - before
