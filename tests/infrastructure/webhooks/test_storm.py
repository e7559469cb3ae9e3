"""T-38 in full: ten thousand events while one receiver is dead for an hour."""

from pathlib import Path

import pytest

from tests.support.batches import tell, told
from tests.support.receivers import receiver, status
from tests.support.webhooks import office

EVENTS = 10_000


@pytest.mark.soak
def test_t_38_ten_thousand_events_reach_one_receiver_in_order_while_another_is_dead(database: str, tmp_path: Path):
    with office(database, tmp_path) as desk, receiver() as crm, receiver() as dead:
        dead.answer = status(503)
        with desk.telling(dead) as waiting, desk.telling(crm) as served:
            reports = [
                told("failure.reported", f"storm-{n}", what="late", description="An hour.")
                for n in range(EVENTS // 2)
            ]
            for start in range(0, len(reports), 500):
                tell(desk.house, reports[start : start + 500])
                desk.deliver()
                desk.house.clock.forward(minutes=6)
            head = desk.house.container.ledger.head()
            assert head >= EVENTS
            assert crm.positions == list(range(1, head + 1))
            assert len({one.id for one in crm.told}) == head
            assert served.now()["behind"] == 0
            assert (len(dead.told), waiting.now()["behind"]) == (4, head)
