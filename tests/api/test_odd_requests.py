"""Requests that nobody means: waits for what nobody wrote, and for ever."""

import pytest

from tests.support.http import Service
from tests.support.telling_lessons import put_right


def test_a_position_that_nobody_has_written_is_refused_at_once(shared: Service):
    put_right(shared)
    head = shared.container.ledger.head()
    beyond = shared.get(f"/v1/recoveries?min_position={head + 1}", status=400, Prefer="wait=10")
    assert (beyond["type"].rpartition("/")[2], beyond["parameter"], beyond["end"]) == (
        "cursor_invalid",
        "min_position",
        head,
    )
    shared.get(f"/v1/recoveries?min_position={head}")


def test_a_position_that_is_written_and_not_folded_yet_is_worth_another_question(amends: Service):
    amends.customer()
    answer = amends.http.get(f"/v1/recoveries?min_position={amends.container.ledger.head()}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize(
    ("asked", "applied"), [("wait=2", "2"), ("wait=99999999", "10"), ("wait=9999999999", "10")]
)
def test_a_wait_is_as_long_as_it_is_said_to_be(shared: Service, asked: str, applied: str):
    answer = shared.http.get("/v1/recoveries?min_position=0", headers={"Prefer": asked})
    assert answer.headers["preference-applied"] == f"wait={applied}"
