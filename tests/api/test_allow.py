"""Which methods an address takes, said with 405: all of them, and none that would be refused."""

import pytest

from tests.support.described import described
from tests.support.http import Service

ANYBODY = "0192e4a0-0000-7000-8000-000000000001"
EVERY = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")
OF_CUSTOMER = "/v1/customers/{customer_id}/"
"""What is posted here is a command, or there is no such command: then that is said."""
PATHS = {
    path: {verb.upper() for verb in verbs}
    for path, verbs in described()["paths"].items()
    # Commands are taken alike: one stands for all.
    if path.endswith("/apologise") or not path.startswith(OF_CUSTOMER) or "get" in verbs
}


def address(path: str) -> str:
    named = {"event_type": "amends.failure.reported.v1", "kind": "rule", "name": "x", "colleague_id": "m-7"}
    ids = dict.fromkeys(("customer_id", "lesson_id", "budget_id", "webhook_id"), ANYBODY)
    return path.format_map(named | ids)


@pytest.mark.parametrize("path", sorted(PATHS))
def test_a_method_that_is_not_taken_is_told_which_are(shared: Service, path: str):
    taken = PATHS[path] | ({"HEAD"} if "GET" in PATHS[path] else set())
    for method in set(EVERY) - taken - ({"POST"} if path.startswith(OF_CUSTOMER) else set()):
        answer = shared.http.request(method, address(path))
        assert answer.status_code == 405, method
        assert set(answer.headers["allow"].split(", ")) == taken, method


def test_where_nothing_is_there_is_no_method_either(shared: Service):
    answer = shared.http.put(f"/v1/customers/{ANYBODY}/dance")
    assert (answer.status_code, answer.json()["type"]) == (404, "about:blank")
