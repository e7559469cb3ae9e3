"""Two at the checkpoints: in whatever order they take their steps, every event is folded once.

In a soak every order is tried.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from domain.moves.apology import Apologise
from infrastructure.pace import Pace
from infrastructure.projector import PAGE
from tests.support.soak import thorough_in_soak
from tests.support.theatre import (
    FULL_PAGE_STEPS,
    OPENING,
    PROJECTOR_STEPS,
    WRITER_STEPS,
    Projecting,
    Theatre,
    as_if_rebuilt,
    projector_at,
    some,
)
from tests.support.writing import late

pytestmark = thorough_in_soak
FULL: Final = (Projecting(), FULL_PAGE_STEPS)
"""A page that the events fill: every read model is written in one transaction."""
SMALL: Final = (Projecting(page=PAGE), PROJECTOR_STEPS)
"""A page that they do not fill: the first read model is written before the others."""
A_FEW: Final = 5
each_page: Final = pytest.mark.parametrize(
    ("projecting", "steps"),
    [pytest.param(*SMALL, id="small"), pytest.param(*FULL, id="full", marks=pytest.mark.soak)],
)


@pytest.fixture
def theatre(database: str, tmp_path: Path) -> Iterator[Theatre]:
    with Theatre(database, tmp_path) as made:
        yield made


@each_page
def test_of_two_projectors_at_one_page_one_folds_it_and_the_other_nothing(
    theatre: Theatre, projecting: Projecting, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector = projector_at(theatre.desk, monkeypatch)
    # The checkpoints must tell the slower one, before a row of the other's stands in its way.
    refused_by_a_row: list[int] = []
    monkeypatch.setattr(Pace, "failed", lambda _, events=0: refused_by_a_row.append(events))
    for order in some((steps, steps), A_FEW, alike=(0, 1)):
        theatre.desk.post(late())
        told = theatre.play(order, projecting, projecting)
        assert sorted(told) == [0, OPENING]
        assert refused_by_a_row == []
        # None had a step left that was not ordered: so these are all the orders that there are.
        assert max(theatre.stops) == steps
        assert projector.lag() == 0
    as_if_rebuilt(projector, theatre.desk)


@each_page
def test_a_projector_beside_a_writer_of_the_same_customer_folds_what_it_counts_and_no_more(
    theatre: Theatre, projecting: Projecting, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector = projector_at(theatre.desk, monkeypatch)
    for order in some((steps, WRITER_STEPS), A_FEW):
        customer, before = theatre.desk.post(late()).customer_id, projector.position()
        folded, grown = theatre.play(
            order, projecting, lambda d, customer=customer: d.post(Apologise(said="regret"), customer)
        )
        assert theatre.stops == [steps, WRITER_STEPS]
        theatre.sound(grown)
        assert projector.head() == before + OPENING + len(grown.receipts)
        # A full page ends before what he appended; a small one has it, or has not.
        assert projector.position() == before + folded
        assert folded in (OPENING, min(OPENING + len(grown.receipts), projecting.page))
        projector.catch_up()
    as_if_rebuilt(projector, theatre.desk)
