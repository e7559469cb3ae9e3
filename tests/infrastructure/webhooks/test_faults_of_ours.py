"""Faults of our own: they are shown, rest and lose nothing; and what deliveries leave to others."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from api.container import DELIVERING
from infrastructure.engine import make_engine
from infrastructure.key_file import create_secrets
from infrastructure.keys import Keyring
from infrastructure.webhooks.connections import AT_ONCE
from infrastructure.webhooks.courier import Courier
from infrastructure.webhooks.endpoints import Webhooks
from infrastructure.webhooks.schedule import RESTS
from tests.support.exposition import told_by
from tests.support.receivers import Receiver
from tests.support.webhooks import Hook, Office


@pytest.fixture
def mistaken(desk: Office, tmp_path: Path) -> Iterator[Courier]:
    """The courier of a process that has the key file of another house."""
    parts = desk.house.container
    create_secrets(tmp_path / "another.key")
    keys = Keyring(tmp_path / "another.key")
    webhooks = Webhooks(parts.delivering, parts.settings.ledger, keys, parts.guard)
    desk.house.clock.forward(seconds=10)
    yield Courier(
        parts.delivering, parts.mapper, webhooks, parts.guard, parts.told_of, desk.house.clock, jitter=lambda: 0.0
    )
    desk.house.clock.forward(seconds=10)


def test_a_fault_of_ours_is_shown_and_counted_rests_and_gives_nothing_up(
    desk: Office, crm: Receiver, hook: Hook, mistaken: Courier
):
    positions = desk.happen("the wrong key", 1)
    for wait in (0, 0, *(rest.total_seconds() for rest in RESTS), *(rest.total_seconds() for rest in RESTS)):
        desk.house.clock.forward(seconds=wait)
        mistaken.run_once()
    failing = hook.now()
    assert (failing["last_failure"], failing["dead_letters"]) == ({"reason": "internal", "status": None}, 0)
    assert failing["failing_since"] is not None
    assert told_by(desk.house.container.metrics.registry).value("amends_webhooks_failing") == 1
    assert crm.told == []
    desk.house.clock.forward(minutes=30)
    desk.deliver()
    assert crm.positions == positions
    assert hook.now()["failing_since"] is None


def test_a_webhook_that_somebody_changes_does_not_rest_for_a_fault_of_ours(
    desk: Office, crm: Receiver, hook: Hook, mistaken: Courier
):
    def tried() -> int:
        with capture_logs() as lines:
            mistaken.run_once()
        return len(lines)

    desk.happen("changed by hand", 0)
    assert [tried(), tried()] == [1, 0]
    hook.change(state="active")
    assert [tried(), tried()] == [1, 0]


def test_a_resend_that_fails_for_a_fault_of_ours_keeps_nothing_new_from_its_turn(
    desk: Office, crm: Receiver, hook: Hook, mistaken: Courier
):
    [position] = desk.happen("ours at a resend", 0)
    desk.deliver()
    hook.resend(position=position)
    desk.house.clock.forward(seconds=10)
    mistaken.run_once()
    [letter] = hook.dead_letters()
    assert (letter["reason"], letter["waiting"]) == ("internal", False)


def test_many_webhooks_at_once_share_few_connections_and_none_fails_for_want_of_one(desk: Office, crm: Receiver):
    parts = desk.house.container
    desk.house.clock.forward(seconds=10)
    pool = {"pool_size": AT_ONCE, "max_overflow": 0, "pool_timeout": 0.001}
    engine = make_engine(parts.settings.database_url, **pool)
    courier = Courier(engine, parts.mapper, parts.webhooks, parts.guard, parts.told_of, desk.house.clock)
    with ExitStack() as stack, capture_logs() as lines:
        stack.callback(engine.dispose)
        hooks = [stack.enter_context(desk.telling(f"{crm.url}/{n}")) for n in range(8)]
        positions = desk.happen("for many", 1)
        courier.run_once()
        assert [one for one in lines if one["event"] == "delivering_failed"] == []
        assert sorted(crm.positions) == sorted(positions * len(hooks))
    desk.house.clock.forward(seconds=10)


def test_administrators_and_the_lease_find_connections_that_no_delivery_takes():
    assert sum(DELIVERING.values()) >= AT_ONCE + 2


def test_who_stops_lets_another_deliver_at_once(desk: Office, crm: Receiver, hook: Hook):
    desk.house.clock.forward(seconds=10)
    first = desk.another()
    positions = desk.happen("before it stops", 0)
    first.run_once()
    first.stop()
    positions += desk.happen("after it stopped", 0)
    desk.deliver()
    assert crm.positions == positions
