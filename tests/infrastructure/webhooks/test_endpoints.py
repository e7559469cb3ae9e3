"""Webhooks being made and changed: look-ups that hang, places that move, and how long one is tried."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import AddressRefused, Busy
from infrastructure.webhooks.addresses import Allowed, Guard, Resolver
from infrastructure.webhooks.courier import Courier
from infrastructure.webhooks.endpoints import LOOK_UPS, Webhooks
from infrastructure.webhooks.messages import Message
from tests.support.receivers import PATIENCE_SECONDS, Receiver, status
from tests.support.webhooks import Hook, Office

URL = "https://crm.example.com/"


def webhooks_of(desk: Office, resolve: Resolver, within_seconds: float) -> Webhooks:
    """The webhooks of this office, made where names are looked up like this and waited for so long."""
    parts = desk.house.container
    guard = Guard(Allowed(), resolve)
    return Webhooks(parts.delivering, "main", parts.keyring, guard, look_up_seconds=within_seconds)


def refused(made: Webhooks, desk: Office) -> str:
    with pytest.raises(AddressRefused) as refusal:
        made.make(URL, (), None, desk.house.clock.now)
    return refusal.value.reason


def test_a_name_that_is_not_found_in_time_is_refused_and_few_wait_for_one_at_once(desk: Office):
    over = threading.Event()

    def hangs(host: str, port: int) -> Sequence[str]:
        over.wait()
        return ["8.8.8.8"]

    made = webhooks_of(desk, hangs, 0.05)
    assert [refused(made, desk) for _ in range(LOOK_UPS)] == ["unresolved"] * LOOK_UPS
    with pytest.raises(Busy):
        made.make(URL, (), None, desk.house.clock.now)
    over.set()
    assert desk.house.get("/v1/webhooks") == {"data": []}


def test_when_the_house_stops_nobody_waits_for_a_receiver_or_its_name_any_longer(
    desk: Office, crm: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("infrastructure.webhooks.courier.PING_SECONDS", PATIENCE_SECONDS)
    parts, looking_up, over = desk.house.container, threading.Event(), threading.Event()

    def hangs(host: str, port: int) -> Sequence[str]:
        looking_up.set()
        over.wait()
        return ["127.0.0.1"]

    crm.answer = lambda told, handler: (crm.ended.wait(), status(204)(told, handler))[1]
    guard = Guard(Allowed.of(["127.0.0.0/8"], http=True), hangs)
    mine = Webhooks(parts.delivering, "main", parts.keyring, guard, look_up_seconds=PATIENCE_SECONDS)
    courier = Courier(parts.delivering, parts.mapper, mine, parts.guard, parts.told_of, parts.clock)
    with desk.telling(crm) as hook, ThreadPoolExecutor(2) as callers:
        trying = callers.submit(courier.ping, UUID(hook.webhook_id), Message("amends.webhook.test", b"{}"))
        naming = callers.submit(mine.make, crm.url, (), None, desk.house.clock.now)
        crm.wait_for(1)
        assert looking_up.wait(PATIENCE_SECONDS)
        mine.break_off()
        for waiting in (trying, naming):
            with pytest.raises(Busy):
                waiting.result()
        with pytest.raises(Busy):
            courier.ping(UUID(hook.webhook_id), Message("amends.webhook.test", b"{}"))
        over.set()
    assert len(crm.told) == 1


def test_whoever_was_answered_leaves_his_place_to_the_next(desk: Office):
    made = webhooks_of(desk, lambda host, port: ["10.0.0.1"], PATIENCE_SECONDS)
    assert [refused(made, desk) for _ in range(LOOK_UPS + 1)] == ["address"] * (LOOK_UPS + 1)


def test_to_tell_again_after_a_place_that_is_not_reached_passes_over_nothing(
    desk: Office, crm: Receiver, hook: Hook
):
    positions = desk.happen("not told yet", 2)
    hook.resend(after=positions[-1])
    assert hook.now()["position"] == positions[0] - 1
    desk.deliver()
    assert crm.positions == positions


def test_an_event_that_is_sent_again_gives_the_one_in_turn_neither_more_tries_nor_fewer(
    desk: Office, crm: Receiver, hook: Hook
):
    told, *_ = desk.happen("taken", 0)
    desk.deliver()
    crm.answer = status(503)
    [waiting] = desk.happen("not taken", 0)
    desk.deliver()
    before = hook.now()
    hook.resend(position=told)
    desk.deliver()
    assert crm.positions == [told, waiting, told]
    after = hook.now()
    assert (after["failures"], after["next_attempt_at"]) == (1, before["next_attempt_at"])


def test_a_change_lets_the_three_days_begin_anew(desk: Office, crm: Receiver, hook: Hook):
    crm.answer = status(503)
    desk.happen("changed", 0)
    desk.deliver()
    desk.house.clock.forward(seconds=timedelta(seconds=5).total_seconds())
    desk.deliver()
    assert hook.now()["failures"] == 2
    assert hook.change(types=["amends.failure.reported.v1"])["failures"] == 0
