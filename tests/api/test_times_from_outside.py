"""Times from outside: as RFC 3339 writes them, and never as a number in a text."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from domain.moves.commitment import CommitmentMade
from infrastructure.codecs import codec_of
from tests.api.test_places import refused_at
from tests.support.http import Service
from tests.support.telling_lessons import LATE

SECONDS = ["1795384000", "-1", "1795384000.5", " 1795384000 ", "1795384000000"]
SECONDS += ["1.7e9", "1.7E+9", ".5", "-.5", "+1795384000", "\u00a01795384000", "inf", "nan"]
FX = {"rate_num": 1, "rate_den": 2, "source": "ecb"}


@pytest.mark.parametrize("seconds", SECONDS)
def test_seconds_are_no_time_in_a_body(shared: Service, seconds: str):
    assert refused_at(shared, "report-failure", LATE | {"occurred_at": seconds}) == ["/occurred_at"]
    assert refused_at(shared, "make-commitment", {"what": "a call", "due_at": seconds}) == ["/due_at"]


@pytest.mark.parametrize(
    ("command", "body", "place"),
    [
        ("grant-compensation", {"kind": "voucher", "fx": FX | {"at": "1795384000"}}, "/fx/at"),
        (
            "instant-remedy",
            {"apology": {"said": "regret"}, "remedy": {"remedy_kind": "refund"}}
            | {"invitation": {"what": "starter", "valid_until": "1795384000"}},
            "/invitation/valid_until",
        ),
        (
            "/v1/standards",
            {
                "kind": "calendar",
                "name": "x",
                "body": {
                    "zone": "Europe/Athens",
                    "hours": {"mon": [["09:00", "13:00"]]},
                    "holidays": ["2026-12-25", "1795305600"],
                },
            },
            "/body/holidays/1",
        ),
    ],
)
def test_nor_are_they_further_inside(shared: Service, command: str, body: dict[str, Any], place: str):
    assert refused_at(shared, command, body) == [place]


@pytest.mark.parametrize("seconds", SECONDS)
def test_nor_in_an_event(shared: Service, seconds: str):
    event = {"specversion": "1.0", "id": "t-1", "source": "urn:test", "type": "amends.gesture.made.v1"}
    sent = {"Content-Type": "application/cloudevents+json"}
    [place] = shared.http.post("/v1/events", json=event | {"time": seconds}, headers=sent).json()["errors"]
    assert (place["pointer"], place["in"], place["code"]) == ("/time", "body", "not_rfc_3339")
    sent = {f"ce-{name}": value for name, value in event.items()} | {"ce-time": quote(seconds)}
    [place] = shared.post("/v1/events", {}, status=422, **sent)["errors"]
    assert (place["pointer"], place["in"], place["code"]) == ("ce-time", "header", "not_rfc_3339")


def test_a_time_that_is_none_is_refused_in_the_words_of_what_is_wrong_with_it(shared: Service):
    problem = shared.post(
        f"/v1/customers/{shared.customer()}/make-commitment",
        {"what": "a call", "due_at": "2026-03-02T25:00:00Z"},
        status=422,
    )
    assert "hour value is outside" in problem["detail"]
    assert refused_at(shared, "make-commitment", {"what": "a call", "due_at": 1795384000}) == ["/due_at"]
    assert refused_at(shared, "make-commitment", {"what": "a call", "due_at": "2026-03-02"}) == ["/due_at"]


@pytest.mark.parametrize("day", ["1795305600", "1.7e9", "2026-12-25T00:00:00", "2026-13-01", 20_000])
def test_nor_is_a_day_a_count(shared: Service, day: str | int):
    calendar = {"zone": "Europe/Athens", "hours": {"mon": [["09:00", "13:00"]]}, "holidays": [day]}
    asked = {"kind": "calendar", "name": "x", "body": calendar}
    assert refused_at(shared, "/v1/standards", asked) == ["/body/holidays/0"]


@pytest.mark.parametrize("stored", ['"1795384000"', "1795384000", '"2026-11-22T21:46:40Z"'])
def test_what_is_stored_is_read_as_it_always_was(stored: str):
    one = "0192e4a0-0000-7000-8000-000000000001"
    made = f'{{"recovery_id":"{one}","commitment_id":"{one}","what":"a call","due_at":{stored}}}'
    read = codec_of(CommitmentMade).read(made.encode())
    assert read.due_at == datetime(2026, 11, 22, 21, 46, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    "seconds", ["1795384000", "-1", "1795384000.5", "%201795384000"] + ["1.7e9", ".5", "-.5", "%2B1795384000"]
)
@pytest.mark.parametrize(
    ("path", "name"),
    [("/v1/reports/deadlines", "as_of"), ("/v1/standards", "at"), ("/v1/budgets", "as_of")]
    + [("/v1/feed/digest", "until"), ("/v1/customers/0192e4a0-0000-7000-8000-000000000001", "at_time")],
)
def test_nor_in_a_query(shared: Service, path: str, name: str, seconds: str):
    [place] = shared.get(f"{path}?{name}={seconds}", status=422)["errors"]
    assert (place["pointer"], place["in"]) == (f"/{name}", "query")


def test_digits_that_are_no_time_are_taken(shared: Service):
    address = f"/v1/customers/{shared.customer('digits')}"
    shared.post(f"{address}/report-failure", LATE | {"order": "1795384000"})
    money = {"amount": "12", "currency": "EUR"}
    shared.post(f"{address}/declare-value", {"amount": money, "per": "day"})
    shared.get("/v1/reports/deadlines?as_of=2026-11-22T10:00:00%2B02:00")
