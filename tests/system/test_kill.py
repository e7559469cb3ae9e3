"""A server killed without warning, again and again: nothing that it confirmed is lost, nothing is done twice."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pytest

from tests.support.inspection import inspect
from tests.support.load import Answer, Load, Plan, Post, customers_of
from tests.support.processes import House, Serving

SEED: Final = 20_260_717
CLIENTS: Final = 8


@dataclass(frozen=True, slots=True)
class Size:
    """How much is posted, and how often the server dies while customers are opened and while moves are told."""

    customers: int
    moves: int
    kills_at_openings: int
    kills_at_moves: int


SIZES: Final = (
    pytest.param(Size(customers=60, moves=250, kills_at_openings=1, kills_at_moves=2), id="short"),
    pytest.param(
        Size(customers=500, moves=6_000, kills_at_openings=5, kills_at_moves=20),
        id="long",
        marks=pytest.mark.soak,
    ),
)


def under_fire(load: Load, server: Serving, posts: Sequence[Post], moments: Sequence[int]) -> list[Answer]:
    """The answers to these posts, with a kill -9 of the server each time so many of them had come."""
    load.start(posts)
    for answers in moments:
        load.wait_for(answers)
        server.kill()
        server.start()
    return load.finish()


@pytest.mark.parametrize("size", SIZES)
def test_a_server_killed_under_load_keeps_what_it_confirmed_and_doubles_nothing(
    any_house: House, size: Size
) -> None:
    chance, plan = random.Random(SEED), Plan(SEED, size.customers)

    def moments(posts: Sequence[Post], kills: int) -> list[int]:
        # Not so late that nobody is left to be hurt.
        return sorted(chance.sample(range(1, len(posts) - 2 * CLIENTS), kills))

    with any_house.serving() as server:
        with Load([server], CLIENTS) as load:
            openings = plan.openings()
            opened = under_fire(load, server, openings, moments(openings, size.kills_at_openings))
            moves = plan.moves(customers_of(opened), size.moves)
            moved = under_fire(load, server, moves, moments(moves, size.kills_at_moves))
        answers = opened + moved
        assert sum(answer.attempts > 1 for answer in answers) >= size.kills_at_openings + size.kills_at_moves
        inspect(any_house, [server], answers)
