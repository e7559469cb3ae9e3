"""Trace context: the trace of a request is kept with its events and in its log lines, and nothing is made up."""

import pytest

from api.tracing import of_headers, trace_id, traceparent
from tests.support.http import Service

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
EVENT = {"specversion": "1.0", "source": "urn:test", "type": "amends.failure.reported.v1"}
SAID = {"what": "late", "description": "x"}


@pytest.mark.parametrize("flags", ["00", "01", "02", "03", "ff"])
def test_the_newest_version_is_kept_as_it_came(flags: str):
    assert traceparent(f"00-{TRACE}-{PARENT}-{flags}") == f"00-{TRACE}-{PARENT}-{flags}"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"cc-{TRACE}-{PARENT}-01", GOOD),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-holds", GOOD),
        (f"01-{TRACE}-{PARENT}-fe", f"00-{TRACE}-{PARENT}-00"),
    ],
)
def test_of_a_later_version_is_kept_what_the_first_one_has(said: str, kept: str):
    assert traceparent(said) == kept


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"cc-{TRACE}-{PARENT}-01.more",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-0g",
        f"00-{TRACE}-{PARENT}-01\n",
        f"0٠-{TRACE}-{PARENT}-01",
        "hello\r\nX: 1",
    ],
)
def test_what_is_no_traceparent_is_passed_over(broken: str | None):
    assert traceparent(broken) is None


def test_two_headers_are_none():
    assert of_headers([(b"traceparent", GOOD.encode())]) == GOOD
    assert of_headers([(b"traceparent", GOOD.encode())] * 2) is None
    assert of_headers([(b"traceparent", b"\xff")]) is None
    assert of_headers([]) is None


def test_the_trace_id_is_the_second_part():
    assert trace_id(GOOD) == TRACE
    assert trace_id(None) is None


def shown(amends: Service) -> list[str | None]:
    """The traceparent of every event, in order."""
    return [one.get("traceparent") for one in amends.get("/v1/events?limit=500")["data"]]


def test_the_trace_of_a_command_stands_in_every_event_of_it(amends: Service):
    answer = amends.post("/v1/customers", {}, traceparent=GOOD)
    amends.post(f"/v1/customers/{answer['customer_id']}/report-failure", SAID, traceparent=OTHER)
    found = shown(amends)
    assert found[0] == GOOD
    assert len(found) > 2
    assert set(found[1:]) == {OTHER}


def test_without_a_trace_none_is_made_up(amends: Service):
    amends.customer()
    amends.post("/v1/customers", {}, traceparent="00-nonsense")
    assert set(shown(amends)) == {None}


def test_the_trace_of_an_event_comes_before_that_of_the_request_that_carries_it(amends: Service):
    customer = amends.customer()
    before = len(shown(amends))
    items = [
        EVENT | {"id": "1", "subject": customer, "traceparent": OTHER, "data": SAID},
        EVENT | {"id": "2", "subject": customer, "traceparent": "broken", "data": SAID | {"what": "cold"}},
        EVENT | {"id": "3", "subject": customer, "data": SAID | {"what": "rude"}},
    ]
    headers = {"Content-Type": "application/cloudevents-batch+json", "traceparent": GOOD}
    answer = amends.http.post("/v1/events", json=items, headers=headers)
    assert [one["status"] for one in answer.json()["results"]] == [201, 201, 201]
    first = len(answer.json()["results"][0]["receipts"])
    found = shown(amends)[before:]
    assert set(found[:first]) == {OTHER}
    assert set(found[first:]) == {GOOD}


def test_a_trace_is_no_part_of_what_a_key_stands_for(amends: Service):
    customer = amends.customer()
    path = f"/v1/customers/{customer}/report-failure"
    first = amends.post(path, SAID, Idempotency_Key="k", traceparent=GOOD)
    again = amends.http.post(path, json=SAID, headers={"Idempotency-Key": "k", "traceparent": OTHER})
    assert (again.status_code, again.json()) == (201, first)


def test_an_answer_carries_no_trace_and_an_id_of_its_own(amends: Service):
    answers = [amends.http.get("/healthz", headers={"traceparent": GOOD}) for _ in range(2)]
    assert "traceparent" not in answers[0].headers
    first, second = (one.headers["request-id"] for one in answers)
    assert len(first) == len(second) == 16
    assert first != second
