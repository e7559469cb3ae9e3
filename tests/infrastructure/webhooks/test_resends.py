"""Events that are told once more, and the word of administrators and receivers in the middle of it."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.receivers import Delivered, Receiver, in_turn, status
from tests.support.webhooks import Hook, Office


@pytest.fixture
def asked(desk: Office, crm: Receiver, hook: Hook) -> list[int]:
    """The positions of three events that were taken, and that somebody wants told once more."""
    positions = desk.happen(f"asked for {uuid4()}", 1)[:3]
    desk.deliver()
    for position in positions:
        hook.resend(position=position)
    crm.told.clear()
    return positions


@pytest.mark.parametrize(
    "said", [{"state": "paused"}, {"url": "http://127.0.0.1:9/elsewhere"}], ids=["state", "url"]
)
def test_a_webhook_that_is_changed_between_resends_is_told_nothing_more_as_it_was(
    desk: Office, crm: Receiver, hook: Hook, asked: list[int], said: dict[str, Any]
):
    def changes(told: Delivered, handler: Any) -> None:
        hook.change(**said)
        status(204)(told, handler)

    crm.answer = in_turn(changes, status(204))
    new = desk.happen(f"new meanwhile {said}", 0)
    desk.deliver()
    assert crm.positions == asked[:1]
    assert [one["position"] for one in hook.dead_letters()] == asked[1:]
    assert hook.now()["behind"] == len(new)


def test_a_receiver_that_is_gone_at_a_resend_is_told_nothing_more(
    desk: Office, crm: Receiver, hook: Hook, asked: list[int]
):
    crm.answer = status(410)
    desk.happen("after it went", 0)
    desk.deliver()
    desk.deliver()
    gone = hook.now()
    assert crm.positions == asked[:1]
    assert (gone["state"], gone["last_failure"]) == ("gone", {"reason": "gone", "status": 410})


def test_what_is_new_waits_for_one_resend_that_is_not_taken_and_not_for_all(
    desk: Office, crm: Receiver, hook: Hook, asked: list[int]
):
    crm.answer = lambda told, handler: status(422 if told.position in asked else 204)(told, handler)
    new = desk.happen("new beside them", 1)
    desk.deliver()
    assert crm.positions == [asked[0], *new]
    assert [one["waiting"] for one in hook.dead_letters()] == [False, True, True]
    desk.deliver()
    assert crm.positions == [asked[0], *new, asked[1]]
