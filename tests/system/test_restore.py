"""A copy taken while everybody works, brought up elsewhere: it goes on where it ended, and knows what it knew."""

from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from threading import Event
from typing import Final

import pytest

from infrastructure.recorder import read_head
from tests.support.checker import by_duty
from tests.support.databases import DURABLE, postgres
from tests.support.dumps import copy_of_file, dump, restored
from tests.support.inspection import asked_again, inspect, reading
from tests.support.load import Answer, Load, customers_of
from tests.support.posts import Plan
from tests.support.processes import House

SEED: Final = 20_260_511
CUSTOMERS: Final = 30
BEFORE: Final = 100
MEANWHILE: Final = 10_000
"""More than anybody can tell while a copy is taken."""
AFTER: Final = 20
CLIENTS: Final = 6


def told_while_copying(house: House, copy: Callable[[], None]) -> list[Answer]:
    """What clients were told, a copy having been taken while they were posting."""
    plan, copied = Plan(SEED, CUSTOMERS), Event()
    with house.serving() as server, Load([server], CLIENTS) as load:
        load.start(plan.openings())
        opened = load.finish()
        moves = plan.moves(customers_of(opened), MEANWHILE)
        # They go on for as long as copying takes, and then a little longer.
        load.start(takewhile(lambda _: not copied.is_set(), moves[AFTER:]))
        load.wait_for(BEFORE)
        copy()
        assert load.working, "the copy came too late to show anything"
        copied.set()
        meanwhile = load.finish()
        load.start(moves[:AFTER])
        return opened + meanwhile + load.finish()


def goes_on(copied: House, answers: list[Answer]) -> None:
    """Asks the restored house for everything again: what the copy holds is repeated, what it lacks is new."""
    with reading(copied) as conn:
        head = read_head(conn, "main").position
    held = [one for one in answers if all(entry.position <= head for entry in one.acknowledged.receipts)]
    lost = [one for one in answers if one not in held]
    assert held, "the copy was taken before anything happened"
    assert lost, "the copy was taken after everything had happened"
    with copied.serving() as server:
        again = asked_again([server], held)
        with Load([server], CLIENTS) as load:
            load.start({one.post.key: one.post for one in lost}.values())
            anew = load.finish()
        inspect(copied, [server], held + again + anew)
    with reading(copied) as conn:
        duties = [one.receipts for one in by_duty(conn)]
    # The program's own duties go on as soon as it is served, so the next position may be theirs.
    recorded = [*duties, *(one.acknowledged.receipts for one in anew)]
    positions = {entry.position for receipts in recorded for entry in receipts}
    assert min(position for position in positions if position > head) == head + 1
    assert min(entry.position for one in anew for entry in one.acknowledged.receipts) > head


def test_a_dump_restored_into_a_new_cluster_goes_on_at_the_right_position(
    postgres_house: House, tmp_path: Path
) -> None:
    copy = tmp_path / "amends.dump"
    answers = told_while_copying(postgres_house, lambda: dump(postgres_house.database, copy))
    with postgres(DURABLE) as another_cluster, restored(copy, another_cluster) as database:
        goes_on(replace(postgres_house, database=database), answers)


@pytest.mark.soak
def test_a_copy_of_a_sqlite_file_taken_under_load_goes_on_at_the_right_position(
    sqlite_house: House, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    answers = told_while_copying(sqlite_house, lambda: copy_of_file(sqlite_house.database, copy))
    goes_on(replace(sqlite_house, database=f"sqlite:///{copy}"), answers)


def test_a_restored_database_without_its_key_file_is_not_served(sqlite_house: House) -> None:
    (sqlite_house.folder / "amends.key").rename(sqlite_house.folder / "elsewhere.key")
    with pytest.raises(AssertionError, match="key"):
        sqlite_house.run("worker")
