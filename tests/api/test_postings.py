"""Postings: the short way for what is posted says what the described routes say, only sooner."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

from api.allowing import allowed
from api.parameters import known_parameters
from api.postings import described_postings
from api.refusals import add_handlers
from api.routers import commands, customers, events
from tests.support.exposition import Exposition
from tests.support.http import Service, service

NOBODY = "0192e4a0-0000-7000-8000-000000000001"
SAID = {"what": "late", "description": "the parcel did not come"}
REPORT = "/v1/customers/{customer_id}/report-failure"
SPELLINGS = {
    "as we write it": NOBODY,
    "in capitals": NOBODY.upper(),
    "without hyphens": NOBODY.replace("-", ""),
    "as a name": f"urn:uuid:{NOBODY}",
    "in braces": f"{{{NOBODY}}}",
    "with one brace": f"{{{NOBODY}",
    "with a sign": f"+{NOBODY[1:]}",
    "with an underscore": f"0_{NOBODY[2:]}",
    "with digits of another script": f"٣{NOBODY[1:]}",
    "with hyphens anywhere": "0192e4a00000-7000-8000-0000-00000001",
    "with a line feed": f"{NOBODY}%0A",
    "with a space": f"%20{NOBODY}",
    "too short": NOBODY[:-1],
    "a number": "1",
    "a word": "maria",
}


class Said(NamedTuple):
    """A request that is odd in one way."""

    path: str
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed
    body: bytes = b'{"what": "late", "description": "the parcel did not come"}'


def to(customer: str, more: str = "") -> str:
    return f"/v1/customers/{customer}/report-failure{more}"


ODD = {f"an id {how}": Said(to(spelt)) for how, spelt in SPELLINGS.items()} | {
    "a parameter": Said(to(NOBODY, "?dry_run=1")),
    "two parameters of a stranger": Said(to("maria", "?a=1&b=2"), {"Authorization": ""}),
    "no key": Said(to(NOBODY), {"Authorization": ""}),
    "no key and no id": Said(to("maria"), {"Authorization": ""}),
    "another scheme": Said(to(NOBODY), {"Authorization": "Basic YTpi"}),
    "no JSON": Said(to(NOBODY), body=b"{"),
    "no body": Said(to(NOBODY), body=b""),
    "another media type": Said(to(NOBODY), {"Content-Type": "text/plain"}),
    "a version that is none": Said(to(NOBODY), {"If-Match": "eight"}),
    "a customer whom nobody knows": Said(to(NOBODY)),
    "an event that is none": Said("/v1/events", {"Content-Type": "application/cloudevents+json"}),
    "an event with a parameter": Said("/v1/events?after=1"),
    "an opening with a parameter": Said("/v1/customers?limit=1"),
    "an opening that says too much": Said("/v1/customers"),
}


@pytest.fixture(scope="module")
def described(shared: Service) -> Iterator[TestClient]:
    """The described routes themselves, which nothing reaches in the service, on its parts."""
    app = FastAPI(redirect_slashes=False)
    described_postings()
    for router in (events.posting, customers.posting, commands.described()):
        app.include_router(router, dependencies=[Depends(known_parameters)])
    app.state.container, app.state.keys = shared.app.state.container, shared.app.state.keys
    add_handlers(app, shared.container.settings.address, allowed)
    with TestClient(app, base_url="http://127.0.0.1:8080", headers=shared.http.headers) as http:
        yield http


def told(http: TestClient, said: Said) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"} | said.headers
    answer = http.post(said.path, content=said.body, headers=headers)
    assert answer.status_code >= 400
    return {"challenge": answer.headers.get("www-authenticate"), **answer.json()}


@pytest.mark.parametrize("odd", ODD)
def test_the_short_way_refuses_what_the_described_routes_refuse_in_the_same_words(
    odd: str, shared: Service, described: TestClient
):
    found = told(shared.http, ODD[odd])

    assert found == told(described, ODD[odd])
    # The same once more by way of the routes behind it, where a server in front has set a prefix.
    with TestClient(shared.app, root_path="/prefix", headers=shared.http.headers) as behind:
        assert told(behind, ODD[odd]) == found


def test_what_a_get_knows_of_an_address_is_still_unknown_to_a_post(shared: Service, described: TestClient):
    assert shared.http.get("/v1/events?after=0").status_code == 200
    assert told(described, ODD["an event with a parameter"])["status"] == 422


@pytest.mark.parametrize(("how", "status"), [("as we write it", 404), ("with a sign", 422), ("a word", 422)])
def test_an_id_that_is_none_is_told_so_and_one_that_nobody_has_is_unknown(shared: Service, how: str, status: int):
    assert told(shared.http, Said(to(SPELLINGS[how])))["status"] == status


def test_every_refusal_is_counted_under_its_route(amends: Service):
    for odd in (to(NOBODY, "?dry_run=1"), to("maria"), to(NOBODY)):
        amends.http.post(odd, json=SAID)
    amends.http.post(to(NOBODY), json=SAID, headers={"Authorization": ""})

    found = Exposition(amends.http.get("/metrics").text)

    assert found.value("amends_http_requests_total", route=REPORT, method="POST", status="4xx") == 4


def test_a_write_that_nobody_could_let_in_is_surely_not_recorded(postgres_database: str, tmp_path: Path):
    with service(postgres_database, tmp_path) as amends:
        customer, stranger = amends.customer(), amends.key()
        amends.container.stop_reading()  # keys are no longer found, as when the database is gone
        asked = [
            amends.http.post(path, json=SAID, headers=stranger)
            for path in (to(customer), "/v1/customers", "/v1/events")
        ]
        with TestClient(amends.app, root_path="/prefix", headers=stranger) as behind:
            asked.append(behind.post(to(customer), json=SAID))
        read = amends.http.get("/v1/events", headers=stranger)

    assert {one.status_code for one in asked} == {503}
    assert {(one.json()["type"].rpartition("/")[2], one.json().get("recorded")) for one in asked} == {
        ("unavailable", "no")
    }
    assert (read.status_code, "recorded" in read.json()) == (503, False)
