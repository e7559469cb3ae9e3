"""GET /metrics: what an operator learns, in the form Prometheus reads, about nobody."""

import re
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from api.problems import PROBLEMS
from domain.kinds import COMMANDS
from infrastructure.metrics import DELIVERED
from projections import ALL
from tests.support.exposition import Exposition
from tests.support.http import Service, service

SAID = {"what": "late", "description": "x"}
REPORT = "/v1/customers/{customer_id}/report-failure"
UNITS = (
    "seconds",
    "bytes",
    "ratio",
    "events",
    "commands",
    "streams",
    "position",
    "connections",
    "timestamp_seconds",
)


def told(amends: Service) -> Exposition:
    """What it tells somebody without a key."""
    answer = amends.http.get("/metrics", headers={"Authorization": ""})
    assert answer.status_code == 200
    return Exposition(answer.text)


def test_it_is_answered_without_a_key_in_the_form_that_is_asked_for(shared: Service):
    plain = shared.http.get("/metrics", headers={"Authorization": ""})
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert plain.headers["cache-control"] == "private, no-store"
    accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
    modern = shared.http.get("/metrics", headers=accept)
    assert modern.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert "amends_commands" in {one.name for one in openmetrics(modern.text)}


def test_an_operator_can_turn_it_off(sqlite_database: str, tmp_path: Path):
    with service(sqlite_database, tmp_path, metrics="off") as amends:
        answer = amends.http.get("/metrics")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "unknown_ref")


def test_requests_are_counted_by_route_template_method_and_class_of_status(amends: Service):
    customer = amends.customer()
    amends.post(f"/v1/customers/{customer}/report-failure", SAID)
    amends.post(f"/v1/customers/{customer}/report-failure", {}, status=422)
    amends.get(f"/v1/customers/{customer}")
    amends.http.get(f"/v1/customers/{customer}/no-such-thing")
    amends.http.request("BREW", "/v1/feed")
    found = told(amends)

    def requests(route: str, method: str, status: str) -> float:
        return found.value("amends_http_requests_total", route=route, method=method, status=status)

    assert requests(REPORT, "POST", "2xx") == requests(REPORT, "POST", "4xx") == 1
    assert requests("/v1/customers/{customer_id}", "GET", "2xx") == 1
    assert requests("unmatched", "GET", "4xx") == 1
    assert requests("/v1/feed", "other", "4xx") == 1
    assert found.value("amends_http_request_seconds_count", route=REPORT, method="POST") == 2
    assert found.value("amends_http_request_seconds_sum", route=REPORT, method="POST") > 0


def test_refusals_are_counted_by_slug_and_each_item_of_a_batch(amends: Service):
    customer = amends.customer()
    amends.post(f"/v1/customers/{customer}/report-failure", SAID, status=412, If_Match='"v9"')
    amends.http.get("/v1/events", headers={"Authorization": "Bearer nobody"})
    amends.http.post("/v1/events", content=b"x", headers={"Content-Encoding": "gzip"})
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    assert amends.http.post("/v1/events", json=[{}, {}, {}], headers=headers).status_code == 200
    found = told(amends)
    assert found.each("amends_refusals_total", "slug") == {
        "stale_version": 1,
        "unauthorised": 1,
        "encoding_unsupported": 1,
        "validation_failed": 3,
    }
    assert found.each("amends_conflicts_total", "slug") == {"stale_version": 1}


def test_the_ledger_and_its_read_models_are_told_as_the_database_has_them(amends: Service):
    customer = amends.customer()
    amends.post(f"/v1/customers/{customer}/report-failure", SAID)
    before = told(amends)
    amends.project()
    after = told(amends)
    names = {one.name for one in ALL}
    assert before.value("amends_head_position") == after.value("amends_head_position") == 5
    assert before.each("amends_projection_lag_events", "projection") == dict.fromkeys(names, 5)
    assert after.each("amends_projection_lag_events", "projection") == {}
    assert after.each("amends_projection_position", "projection") == dict.fromkeys(names, 5)
    assert after.value("amends_database_up") == 1
    assert after.value("amends_writer_queue_limit_commands") == 10_000
    assert after.value("amends_writer_queue_limit_bytes") == 32 * 2**20
    assert after.value("amends_read_connections_limit") == 40
    with amends.container.engine.connect():
        assert told(amends).value("amends_read_connections") == 1


def test_it_says_which_version_runs_and_how_much_memory_it_takes(shared: Service):
    found = told(shared)
    assert found.value("amends_info", version=shared.app.version, ledger="main") == 1
    assert found.value("process_resident_memory_bytes") > 10_000_000


def test_every_metric_is_named_as_prometheus_wants_and_says_what_it_is(shared: Service):
    for family in told(shared).families:
        if family.name.startswith("process_"):
            continue
        assert re.fullmatch(r"amends_[a-z][a-z0-9_]*", family.name)
        assert family.documentation.endswith("."), family.name
        assert len(family.documentation) > 20, family.name
        assert family.type in ("counter", "gauge", "histogram"), family.name
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_commands"))
        if family.type == "counter":
            assert all(one.name.endswith("_total") for one in family.samples)


def test_no_label_has_a_value_that_is_not_ours(amends: Service):
    customer = amends.customer("qanary 0001")
    for path in ("/qanary", f"/v1/customers/{customer}/qanary", "/v1/customers/qanary", "/v1/schemas/qanary"):
        for method in ("GET", "POST", "PUT", "QANARY"):
            amends.http.request(method, f"{path}?qanary=1", json={"qanary": 1})
    known = {
        "ledger": {"main"},
        "projection": {one.name for one in ALL},
        "slug": set(PROBLEMS),
        "status": {"1xx", "2xx", "3xx", "4xx", "5xx"},
        "method": {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"},
        "route": {"unmatched", *_templates(amends)},
        "outcome": {"recorded", "repeated", "nothing", "refused", "conflict", "failed"},
        "reason": {"split", "failed"},
        "result": {"settled", "rested", "recorded", "repeated", "refused", "failed", *DELIVERED},
        "version": {amends.app.version},
    }
    seen = 0
    for sample in told(amends).samples():
        for label, value in sample.labels.items():
            if label != "le":
                assert value in known[label], sample
                seen += 1
    assert seen > 100


def _templates(amends: Service) -> set[str]:
    """Every path template of the service."""
    served = set(amends.app.openapi()["paths"]) | {"/", "/docs", "/openapi.json"}
    return (
        served | {"/problems", "/problems/{slug}"} | {f"/v1/customers/{{customer_id}}/{one}" for one in COMMANDS}
    )


@pytest.mark.parametrize("path", ["/metrics", "/healthz"])
def test_asking_after_it_is_a_request_like_any_other(shared: Service, path: str):
    shared.http.get(path)
    assert told(shared).value("amends_http_requests_total", route=path, method="GET", status="2xx") >= 1
