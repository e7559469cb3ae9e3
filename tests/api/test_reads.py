"""Reading over HTTP: how a customer stands and stood, the queue, the feed, and the ledger in order."""

import threading
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from infrastructure.recorder import read_head
from tests.support.http import Service, service

PLUMS = {"what": "wrong_or_broken", "description": "three of the six plums were rotten", "severity": 3}
UNKNOWN = "0192e4a0-0000-7000-8000-00000000dead"


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Service]:
    """A service of the test's own, empty; once on each kind of database."""
    with service(database, tmp_path) as made:
        yield made


def complained(service: Service, number: str = "C-1042", **fields: Any) -> str:
    customer = service.customer(number)
    service.post(f"/v1/customers/{customer}/report-failure", PLUMS | fields)
    return customer


def put_right(service: Service, customer: str) -> None:
    path = f"/v1/customers/{customer}"
    service.post(f"{path}/apologise", {"said": "admits_and_commits", "feeling_named": True})
    service.post(f"{path}/deliver-remedy", {"remedy_kind": "replacement", "resolves": "full"})
    service.post(f"{path}/resolve", {"how_code": "replaced"})


def test_a_customer_is_shown_with_satisfaction_and_open_recoveries(amends: Service):
    customer = complained(amends)
    found = amends.get(f"/v1/customers/{customer}")
    assert found["customer_id"] == customer
    assert found["satisfaction"]["score"] < 7000
    assert found["satisfaction"]["open_recoveries"] == 1
    [recovery] = found["open_recoveries"]
    assert (recovery["phase"], recovery["severity"]) == ("reported", 3)
    assert found["version"] == found["position"] == recovery["position"]


def test_a_customer_as_he_was_after_an_event_at_a_position_and_at_a_time(amends: Service):
    customer = complained(amends)
    then = amends.get(f"/v1/customers/{customer}")
    amends.clock.forward(hours=1)
    put_right(amends, customer)
    now = amends.get(f"/v1/customers/{customer}")
    assert now["satisfaction"]["score"] > then["satisfaction"]["score"]
    for asked in (f"at_version={then['version']}", f"at_position={then['position']}"):
        past = amends.get(f"/v1/customers/{customer}?{asked}")
        assert past["satisfaction"] == then["satisfaction"]
        assert past["open_recoveries"] == then["open_recoveries"]
        assert past["version"] == then["version"]
    past = amends.get(f"/v1/customers/{customer}?at_time=2026-03-02T12:30:00Z")
    assert past["satisfaction"] == then["satisfaction"]
    assert past["as_of"] == "2026-03-02T12:30:00Z"
    newest = amends.get(f"/v1/customers/{customer}?at_version={now['version']}")
    assert newest["satisfaction"] == now["satisfaction"]
    assert newest["open_recoveries"] == now["open_recoveries"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("at_version=999", 404),
        ("at_time=2020-01-01T00:00:00Z", 404),
        ("at_version=0", 422),
        ("at_version=x", 422),
        ("at_time=yesterday", 422),
        ("at_time=2026-03-02T12:00:00", 422),
        ("at_version=1&at_position=1", 422),
        ("at_position=9223372036854775808", 422),
    ],
)
def test_a_past_that_never_was_is_a_problem(shared: Service, asked: str, status: int):
    shared.get(f"/v1/customers/{shared.customer()}?{asked}", status=status)


@pytest.mark.parametrize("path", ["", "/timeline", "/explain", "?at_version=1", "/explain?at_version=1"])
def test_an_unknown_customer_is_not_found(shared: Service, path: str):
    found = shared.get(f"/v1/customers/{UNKNOWN}{path}", status=404)
    assert found["type"].endswith("/problems/unknown_ref")


def test_the_terms_of_the_explanation_sum_up_to_the_score(amends: Service):
    customer = complained(amends)
    put_right(amends, customer)
    found = amends.get(f"/v1/customers/{customer}/explain")
    assert found["start"] == 7000
    assert found["start"] + sum(term["change"] for term in found["terms"]) == found["terms"][-1]["total"]
    assert found["score"] == amends.get(f"/v1/customers/{customer}")["satisfaction"]["score"]
    then = amends.get(f"/v1/customers/{customer}/explain?at_version=2")
    assert then["terms"] == found["terms"][: len(then["terms"])]
    assert 0 < len(then["terms"]) < len(found["terms"])


def test_a_timeline_is_read_page_by_page(amends: Service):
    customer = complained(amends)
    put_right(amends, customer)
    whole = amends.get(f"/v1/customers/{customer}/timeline")
    assert whole["end_of_log"] is True
    kinds, link = [], f"/v1/customers/{customer}/timeline?limit=3"
    while link:
        answer = amends.http.get(link)
        kinds += [one["kind"] for one in answer.json()["data"]]
        link = answer.links.get("next", {}).get("url")
    assert kinds == [one["kind"] for one in whole["data"]]
    assert kinds[:2] == ["relationship.opened", "failure.reported"]


@pytest.mark.parametrize("path", ["", "/timeline", "/explain"])
def test_whoever_holds_the_newest_version_gets_304(amends: Service, path: str):
    customer = complained(amends)
    amends.project()
    first = amends.http.get(f"/v1/customers/{customer}{path}")
    held = {"If-None-Match": first.headers["etag"]}
    again = amends.http.get(f"/v1/customers/{customer}{path}", headers=held)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    put_right(amends, customer)
    amends.project()
    assert amends.http.get(f"/v1/customers/{customer}{path}", headers=held).status_code == 200


def test_the_tag_of_a_read_is_the_version_to_decide_on(amends: Service):
    customer = complained(amends)
    amends.project()
    tag = amends.http.get(f"/v1/customers/{customer}").headers["etag"]
    amends.post(f"/v1/customers/{customer}/apologise", {"said": "regret"}, If_Match=tag)
    amends.post(f"/v1/customers/{customer}/apologise", {"said": "regret"}, status=412, If_Match=tag)


def test_nothing_that_is_read_may_be_kept_by_anybody_else(shared: Service):
    answer = shared.http.get("/v1/events")
    assert answer.headers["cache-control"] == "private, no-store"


def test_the_queue_shows_the_riskiest_first_and_goes_on_where_it_was(amends: Service):
    for number, severity in (("1", 1), ("2", 5), ("3", 3), ("4", 4)):
        complained(amends, number, severity=severity)
    whole = amends.get("/v1/recoveries")
    assert [one["severity"] for one in whole["data"]] == [5, 4, 3, 1]
    assert whole["next"] is None
    first = amends.get("/v1/recoveries?limit=3")
    amends.clock.forward(days=2)
    answer = amends.http.get(f"/v1/recoveries?limit=3&after={first['next']}")
    assert [one["severity"] for one in answer.json()["data"]] == [1]
    assert answer.json()["as_of"] == first["as_of"]
    assert answer.json()["next"] is None
    assert [one["severity"] for one in amends.get("/v1/recoveries?overdue=true")["data"]] == [5, 4, 3, 1]


def test_the_queue_of_nobody_is_empty(amends: Service):
    complained(amends)
    assert amends.get("/v1/recoveries?team=night")["data"] == []
    assert amends.get(f"/v1/recoveries?owner={UNKNOWN}")["data"] == []
    assert amends.get("/v1/recoveries?overdue=true")["data"] == []


def test_the_feed_is_a_json_feed_without_a_name(amends: Service):
    customer = complained(amends, "Maria")
    put_right(amends, customer)
    found = amends.get("/v1/feed")
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    [item] = found["items"]
    assert item["id"].startswith("urn:uuid:")
    assert "Wrong or broken" in item["title"]
    assert "+0 min: said sorry" in item["content_text"]
    assert item["_amends"]["codes"]["severity"] == 3
    assert customer not in str(found)
    assert "Maria" not in str(found)
    assert "plums" not in str(found)
    as_feed = amends.http.get("/v1/feed", headers={"Accept": "application/feed+json"})
    assert as_feed.headers["content-type"] == "application/feed+json"
    assert amends.http.get("/v1/feed.json").json() == found


def test_the_feed_is_read_page_by_page(amends: Service):
    for number in ("1", "2", "3"):
        put_right(amends, complained(amends, number))
    newest = _pages(amends, "/v1/feed?limit=2")
    oldest = _pages(amends, "/v1/feed?limit=2&after=0")
    assert [len(page) for page in newest] == [len(page) for page in oldest] == [2, 1]
    assert [*chain(*newest)] == [*chain(*oldest)][::-1]


def _pages(amends: Service, path: str) -> list[list[str]]:
    """The ids of the stories on each page, from here on."""
    page = amends.get(path)
    pages = [[one["id"] for one in page["items"]]]
    while "next_url" in page:
        page = amends.http.get(page["next_url"]).json()
        pages.append([one["id"] for one in page["items"]])
    return pages


def test_the_ledger_is_read_in_order_until_its_end(amends: Service):
    complained(amends)
    link, pages = "/v1/events?limit=2", []
    while link:
        answer = amends.http.get(link)
        pages.append(answer.json())
        link = answer.links.get("next", {}).get("url")
    sequences = [int(one["sequence"]) for page in pages for one in page["data"]]
    assert sequences == list(range(1, sequences[-1] + 1))
    assert [page["end_of_log"] for page in pages] == [False] * (len(pages) - 1) + [True]
    beyond = amends.get(f"/v1/events?after={pages[-1]['next']}")
    assert beyond == {"data": [], "next": pages[-1]["next"], "end_of_log": True}
    with amends.container.engine.connect() as conn:
        assert sequences[-1] == read_head(conn, "main").position


def test_an_event_goes_out_in_the_envelope_of_cloudevents(amends: Service):
    customer = complained(amends)
    found = amends.get("/v1/events")["data"][1]
    assert found["specversion"] == "1.0"
    assert found["type"] == "amends.failure.reported.v1"
    assert found["subject"] == customer
    assert found["time"] == "2026-03-02T12:00:00Z"
    assert found["dataschema"] == "http://127.0.0.1:8080/v1/schemas/amends.failure.reported.v1"
    assert all(name == name.lower() and name.isalnum() for name in found)
    assert amends.http.get(found["dataschema"]).status_code == 200


def test_personal_parts_are_shown_only_when_asked_for_with_the_scope(amends: Service):
    complained(amends)
    withheld = amends.get("/v1/events")["data"][1]
    assert withheld["hidden"] == "withheld"
    assert "description" not in withheld["data"]
    shown = amends.get("/v1/events?personal=true")["data"][1]
    assert "hidden" not in shown
    assert shown["data"]["description"] == "three of the six plums were rotten"
    answer = amends.http.get("/v1/events?personal=true", headers=amends.key("read"))
    assert answer.status_code == 403
    assert answer.json()["scope"] == "personal"


def test_a_report_about_a_named_colleague_is_passed_over_without_the_scope_personnel(amends: Service):
    customer = complained(amends)
    said = {"treatment": "rude", "by_colleague": "nikos"}
    amends.post(f"/v1/customers/{customer}/report-treatment", said)
    for personal in ("", "&personal=true"):
        reader = amends.key("read", "personal")
        page = amends.http.get(f"/v1/events?limit=500{personal}", headers=reader).json()
        assert "amends.treatment.reported.v1" not in [one["type"] for one in page["data"]]
        assert page["end_of_log"] is True
    personnel = amends.get("/v1/events?personal=true")["data"]
    [report] = [one for one in personnel if one["type"] == "amends.treatment.reported.v1"]
    assert len(report["data"]["by_colleague"]) == 36
    assert "rude" not in amends.http.get(f"/v1/customers/{customer}/timeline").text


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=-1", "after=9223372036854775808", "after=1.5", "after=%00", "after=01"]
    + ["limit=0", "limit=-1", "limit=501", "limit=1e9", "limit=abc", "limit=", "after=٣"],
)
@pytest.mark.parametrize("path", ["/v1/events", "/v1/feed"])
def test_a_cursor_that_is_no_position_is_refused(shared: Service, path: str, query: str):
    answer = shared.http.get(f"{path}?{query}")
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/problems/cursor_invalid")


def test_the_ledger_is_read_up_to_its_end_and_not_beyond(amends: Service):
    complained(amends)
    end = amends.get("/v1/events")["next"]
    assert amends.get(f"/v1/events?after={end}") == {"data": [], "next": end, "end_of_log": True}
    found = amends.get(f"/v1/events?after={end + 1}", status=400)
    assert found["type"].endswith("/problems/cursor_invalid")
    assert (found["parameter"], found["end"]) == ("after", end)


@pytest.mark.parametrize(
    "after", ["x", "1", "1.2.3", "1.2.3.4", "9" * 40 + ".1.1." + "a" * 32, "-1.1.1." + "a" * 32]
)
def test_a_cursor_of_the_queue_that_is_not_ours_is_refused(shared: Service, after: str):
    answer = shared.http.get("/v1/recoveries", params={"after": after})
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/problems/cursor_invalid")


@pytest.mark.parametrize(
    "after",
    ["99999999999999999.1.1." + "a" * 32, "1.999999999.999999999999999999." + "a" * 32]
    + ["1.999999999.253402300799999999." + "a" * 32, "1.-999999999.0." + "0" * 32],
)
def test_a_cursor_beyond_all_time_is_a_problem_or_an_empty_page_but_no_fault(shared: Service, after: str):
    assert shared.http.get("/v1/recoveries", params={"after": after}).status_code in (200, 400)


def test_a_read_waits_for_the_callers_own_write(amends: Service):
    customer = complained(amends)
    position = amends.post(f"/v1/customers/{customer}/apologise", {"said": "regret"})["position"]
    behind = amends.http.get(f"/v1/customers/{customer}?min_position={position}")
    assert behind.status_code == 503
    assert behind.headers["retry-after"]
    assert behind.json()["type"].endswith("/problems/projection_behind")
    assert behind.json()["position"] < position
    assert "preference-applied" not in behind.headers
    later = threading.Timer(0.2, amends.project)
    later.start()
    answer = amends.http.get(f"/v1/customers/{customer}?min_position={position}", headers={"Prefer": "wait=10"})
    later.join()
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=10"
    assert int(answer.headers["amends-position"]) >= position
    assert answer.json()["position"] == position


@pytest.mark.parametrize("path", ["/v1/recoveries", "/v1/feed"])
def test_every_read_model_can_be_waited_for(amends: Service, path: str):
    complained(amends)
    assert amends.http.get(f"{path}?min_position=1").status_code == 503
    amends.project()
    assert amends.http.get(f"{path}?min_position=1").status_code == 200
    assert amends.http.get(f"{path}?min_position=x").status_code == 400


def test_health_needs_no_key_and_readiness_tells_the_lag(amends: Service):
    nobody = {"Authorization": ""}
    assert amends.http.get("/healthz", headers=nobody).json() == {"status": "ok"}
    complained(amends)
    behind = amends.http.get("/readyz", headers=nobody).json()
    assert behind["head"] == behind["lag"] > 0
    amends.project()
    ready = amends.http.get("/readyz", headers=nobody).json()
    assert (ready["status"], ready["lag"]) == ("ready", 0)


def test_a_service_too_far_behind_is_not_ready(amends: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("api.readiness.TOO_FAR_BEHIND", 2)
    complained(amends)
    answer = amends.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("/problems/projection_behind")


@pytest.mark.parametrize(
    "path",
    ["/v1/events", "/v1/feed", "/v1/feed.json", "/v1/recoveries", "/v1/customers/{}", "/v1/customers/{}/explain"]
    + ["/v1/customers/{}/timeline", "/v1/schemas", "/v1/schemas/amends.failure.reported.v1"],
)
def test_a_parameter_that_nobody_knows_is_named(shared: Service, path: str):
    path = path.format(shared.customer())
    found = shared.get(f"{path}?limt=2&_=1&limt=3", status=422)
    assert found["type"].endswith("/problems/validation_failed")
    assert [(one["pointer"], one["in"], one["code"]) for one in found["errors"]] == [
        ("/limt", "query", "unknown_parameter"),
        ("/_", "query", "unknown_parameter"),
    ]


def test_every_parameter_that_is_described_is_known(shared: Service):
    customer = shared.customer()
    for query in ("at_version=1", "at_position=1", "at_time=2026-03-02T12:00:00Z", "min_position=0"):
        shared.get(f"/v1/customers/{customer}?{query}")
        shared.get(f"/v1/customers/{customer}/explain?{query}")
    shared.get(f"/v1/customers/{customer}/timeline?after=0&limit=5&min_position=0")
    shared.get("/v1/events?after=0&limit=5&personal=true")
    shared.get("/v1/recoveries?limit=5&team=ops&overdue=true&min_position=0")
    shared.get("/v1/feed?limit=5&min_position=0")
    shared.get("/v1/schemas/amends.failure.reported.v1?as=command")
