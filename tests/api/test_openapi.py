"""The API's description: complete, stable, with an example that works for every command."""

import asyncio
import re
from collections import defaultdict
from typing import Any

import httpx2
import orjson
import pytest
from starlette.types import ASGIApp

from api import schemas
from api.app import document
from api.envelope import RESERVED
from api.examples import example_of
from api.openapi import body_of
from api.pages import POLICY, STYLE
from domain.kinds import COMMAND_OF_TYPE, COMMANDS, EVENTS
from domain.relationship import RelationshipCommand
from tests.support.described import described
from tests.support.http import Service
from tests.support.leaping import leaping

DOCUMENT = described()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, verb, one) for path, verbs in DOCUMENT["paths"].items() for verb, one in verbs.items()]


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(one) for one in value.values()))
    return set().union(*(references(one) for one in value)) if isinstance(value, list) else set()


def test_it_is_openapi_3_1_and_every_reference_leads_somewhere():
    assert DOCUMENT["openapi"].startswith("3.1")
    for reference in references(DOCUMENT):
        found: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_every_operation_has_its_own_name_a_tag_and_problems():
    names = [one["operationId"] for _, _, one in operations()]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    for path, _, one in operations():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", one["operationId"])
        assert len(one["tags"]) == 1
        assert set(one["tags"]) <= tags
        assert one["summary"], path
        assert one["description"], path
        assert one["responses"]["4XX"] == {"$ref": "#/components/responses/Refused"}
        assert "422" not in one["responses"]
    for answer in DOCUMENT["components"]["responses"].values():
        assert set(answer["content"]) == {"application/problem+json"}


def test_what_needs_no_key_says_so():
    public = {path for path, _, one in operations() if one["security"] == []}
    assert public == {"/healthz", "/readyz", "/metrics", "/v1/schemas", "/v1/schemas/{event_type}"}


def test_nothing_of_the_framework_is_left_over():
    assert not {"HTTPValidationError", "ValidationError"} & DOCUMENT["components"]["schemas"].keys()


def test_a_batch_is_described_as_large_as_it_may_be():
    def most(described: dict[str, Any]) -> int:
        content = described["paths"]["/v1/events"]["post"]["requestBody"]["content"]
        return content["application/cloudevents-batch+json"]["schema"]["maxItems"]

    assert most(document(max_batch=20)) == 20
    assert most(document()) == 500
    [told] = [one for path, verb, one in operations() if (path, verb) == ("/v1/events", "options")]
    assert "Amends-Max-Batch" in told["responses"]["204"]["headers"]


def test_a_budget_says_what_as_of_moves():
    for path in ("/v1/budgets", "/v1/budgets/{budget_id}"):
        [told] = [one for one in DOCUMENT["paths"][path]["get"]["parameters"] if one["name"] == "as_of"]
        assert "the money as it stands now" in told["description"]


def test_a_summary_is_one_short_sentence():
    for path, verb, one in operations():
        assert " " in one["summary"], path
        assert len(one["summary"]) <= 105, path
        assert ". " not in one["summary"]
        assert not one["summary"].endswith(".")
        assert "(I-" not in one["summary"]
        assert (path, verb, one["summary"].istitle()) == (path, verb, False)


def test_names_stay_what_they_are():
    names = {one["operationId"] for _, _, one in operations()}
    assert {"post_events", "read_events", "open_customer", "customer", "explain", "customer_timeline"} <= names
    assert {"queue", "team_feed", "report_failure", "apologise", "healthz", "readyz"} <= names


def test_every_command_has_its_route_and_nothing_needs_no_key_that_should():
    named = {one["operationId"]: (path, verb, one) for path, verb, one in operations()}
    for command, kind in COMMANDS.items():
        if command == "open":
            continue
        path, verb, operation = named[command.replace("-", "_")]
        assert verb == "post"
        assert operation["security"] == [{"key": [kind.SCOPE]}]
        if issubclass(kind, RelationshipCommand):
            assert path == f"/v1/customers/{{customer_id}}/{command}"
            for fact in kind.FACTS:
                assert fact.TYPE in operation["description"]


def test_no_command_uses_a_name_of_the_envelope():
    for kind in COMMANDS.values():
        names = set(kind.model_fields) | {field.alias for field in kind.model_fields.values()}
        assert not names & RESERVED, kind.__name__


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_the_example_of_every_command_is_a_body_it_takes(path: str):
    kind = COMMANDS[path]
    kind.model_validate_json(orjson.dumps(example_of(kind)), strict=True)


def test_every_body_is_described_with_the_envelope_and_refuses_the_rest():
    for kind in COMMANDS.values():
        schema = body_of(kind).model_json_schema(by_alias=True)
        assert {"occurred_at", "time_known", "by"} <= set(schema["properties"])
        assert schema["additionalProperties"] is False


def test_every_type_has_a_schema_and_every_postable_one_a_body():
    assert schemas.types() == sorted(event.TYPE for event in EVENTS.values())
    for event_type in schemas.types():
        found = schemas.schema_of(event_type)
        assert found is not None
        assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert (schemas.schema_of(event_type, as_command=True) is not None) == (event_type in COMMAND_OF_TYPE)
    assert schemas.schema_of("amends.nothing.happened.v1") is None


def test_a_schema_is_served_for_the_event_and_for_the_body(shared: Service):
    event = shared.http.get("/v1/schemas/amends.failure.reported.v1").json()
    command = shared.http.get("/v1/schemas/amends.failure.reported.v1?as=command").json()
    assert set(command["required"]) == {"what", "description"}
    assert {"recovery_id", "failure_kind"} <= set(event["required"])
    assert event["$id"] == "http://127.0.0.1:8080/v1/schemas/amends.failure.reported.v1"
    listed = shared.http.get("/v1/schemas").json()
    assert set(listed["postable"]) < set(listed["types"])
    assert shared.http.get("/v1/schemas/amends.deadline.missed.v1?as=command").status_code == 404


def test_the_description_is_served(shared: Service):
    assert shared.http.get("/openapi.json", headers={"Authorization": ""}).json()["paths"] == DOCUMENT["paths"]


async def asked_of(app: ASGIApp, path: str) -> httpx2.Response:
    """The answer of this application to a question that is asked on the loop that runs now."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1:8080") as http:
        return await http.get(path)


async def asked_by_two(app: ASGIApp) -> list[httpx2.Response]:
    return await asyncio.gather(*(asked_of(app, "/openapi.json") for _ in range(2)))


def test_whoever_asks_first_gets_the_description_however_long_it_takes_to_make(amends: Service):
    # A clock that leaps whenever the loop has nothing to do: while a thread makes the description, hours go by.
    for answer in leaping(asked_by_two(amends.app)):
        assert answer.status_code == 200
        assert answer.json()["paths"] == DOCUMENT["paths"]


def test_head_is_answered_wherever_get_is(shared: Service):
    customer = shared.customer("head")
    shared.project()
    found = {path for path, verb, _ in operations() if verb == "get"} | {
        "/",
        "/docs",
        "/openapi.json",
        "/problems",
    }
    for template in found | {"/problems/busy", "/v1/nothing", "/v1/feed.json"}:
        path = template.format_map(defaultdict(lambda: customer, event_type="amends.failure.reported.v1"))
        got, head = shared.http.get(path), shared.http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("path", ["/", "/docs", "/problems", "/problems/stale_version"])
def test_pages_need_no_key_and_no_other_address(shared: Service, path: str):
    answer = shared.http.get(path, headers={"Authorization": ""})
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == POLICY
    assert STYLE in answer.text
    assert "<script" not in answer.text
    for link in re.findall(r'(?:src|href)="([^"]*)"', answer.text):
        assert link.startswith("/"), link


def test_the_api_page_shows_every_operation_and_every_type(shared: Service):
    text = shared.http.get("/").text
    for path, _, one in operations():
        assert f"<code>{path}</code>" in text
        assert one["summary"].split("`")[0].split("'")[0] in text
    for event_type in schemas.types():
        assert event_type in text


def test_the_api_page_knows_the_type_of_every_field(shared: Service):
    assert "<td>None" not in shared.http.get("/docs").text


def test_every_link_of_the_api_page_leads_somewhere(shared: Service):
    for link in set(re.findall(r'href="([^"]*)"', shared.http.get("/").text)):
        assert shared.http.get(link).status_code == 200, link


def test_what_receivers_of_webhooks_are_sent_is_described_with_an_example():
    told = DOCUMENT["webhooks"]["event"]["post"]
    assert {one["name"] for one in told["parameters"]} == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    schemas = DOCUMENT["components"]["schemas"]
    sent = schemas[told["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]
    assert set(sent["properties"]) == set(sent["examples"][0]) == {"type", "timestamp", "data"}
    assert set(sent["examples"][0]["data"]) == set(schemas["EventTold"]["properties"])
    assert "422" not in told["responses"]
    assert told["summary"]
