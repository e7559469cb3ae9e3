"""Turns: the webhooks that are being told something, each in a thread of its own."""

import threading
from uuid import UUID

import pytest

from infrastructure.webhooks.turns import Turns
from tests.support.processes import eventually

ONE, OTHER = UUID(int=1), UUID(int=2)


def test_a_webhook_has_one_turn_at_a_time_and_others_have_theirs_beside_it():
    turns, held, begun = Turns(), threading.Event(), list[UUID]()

    def work(webhook_id: UUID) -> None:
        begun.append(webhook_id)
        held.wait()

    for one in (ONE, ONE, OTHER):
        turns.begin(one, lambda one=one: work(one))
    held.set()
    turns.join()
    assert sorted(begun) == [ONE, OTHER]
    turns.begin(ONE, lambda: work(ONE))
    turns.join()
    assert begun.count(ONE) == 2
    assert not turns.under_way


def test_whoever_comes_due_again_while_he_is_told_all_there_was_is_told_that_too():
    turns, told, came = Turns(), threading.Event(), threading.Event()
    looks = list[bool]()

    def work() -> None:
        told.set()
        came.wait()
        while not looks or looks[-1]:
            looks.append(turns.more(ONE))

    turns.begin(ONE, work)
    told.wait()
    turns.begin(ONE, work)
    came.set()
    turns.join()
    assert looks == [True, False]


def test_a_turn_that_said_it_ends_makes_room_before_its_thread_is_gone():
    turns, ended, go_on = Turns(), threading.Event(), threading.Event()
    seconds = list[str]()

    def first() -> None:
        turns.more(ONE)
        ended.set()
        go_on.wait()

    turns.begin(ONE, first)
    ended.wait()
    turns.begin(ONE, lambda: seconds.append("told"))
    go_on.set()
    turns.join()
    assert seconds == ["told"]
    assert not turns.under_way


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_turn_that_fails_leaves_no_place_taken():
    turns, seconds, failed = Turns(), list[str](), list[threading.Thread]()

    def fails() -> None:
        failed.append(threading.current_thread())
        raise LookupError

    turns.begin(ONE, fails)
    turns.join()
    eventually(lambda: bool(failed), "it began")
    failed[0].join()  # its place is free before what it raised has been told, which is to be heard here
    turns.begin(ONE, lambda: seconds.append("told"))
    turns.join()
    assert seconds == ["told"]
