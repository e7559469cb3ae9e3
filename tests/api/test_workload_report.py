"""The report of workload over HTTP: teams for whoever may read, one colleague for him and his leader alone."""

from typing import Any

import pytest

from tests.support.http import Service


@pytest.fixture(scope="module")
def shop(shared: Service) -> Service:
    """A service in which Anna and Eleni, both led by `lead`, work with four others."""
    for name in ("nikos", "maria", "petros", "ioanna"):
        join(shared, name)
    for name in ("anna", "eleni"):
        busy(shared, name)
    shared.project()
    return shared


def join(shop: Service, name: str) -> None:
    """Somebody works at the desk from now on."""
    post = {"role": "representative", "role_class": "front", "team": "desk", "manager": "lead"}
    shop.post(f"/v1/colleagues/{name}/join", post)


def busy(shop: Service, name: str) -> None:
    """Somebody owns a recovery, and promised to call tomorrow; there is room for one thing."""
    join(shop, name)
    shop.post(f"/v1/colleagues/{name}/set-capacity", {"points": 1})
    address = f"/v1/customers/{shop.customer(name)}"
    shop.post(f"{address}/report-failure", {"what": "late", "description": "The parcel is late."})
    shop.post(f"{address}/assign", {"owner": name})
    shop.post(f"{address}/make-commitment", {"what": "We call you.", "due_at": "2026-03-03T12:00:00Z"})


def seen(shop: Service, name: str, scopes: str, asking: str | None) -> tuple[int, Any]:
    """What a key with these scopes is answered about the load of somebody, and for whom it asks."""
    headers = shop.key(*scopes.split()) | ({} if asking is None else {"Amends-Colleague": asking})
    answer = shop.http.get(f"/v1/reports/workload?colleague={name}", headers=headers)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("scopes", "asking"), [("read act_for", "anna"), ("read act_for", "lead"), ("read personnel", None)]
)
def test_s4_31_the_load_of_one_is_told_to_himself_to_his_leader_and_to_personnel(
    shop: Service, scopes: str, asking: str | None
):
    status, body = seen(shop, "anna", scopes, asking)
    assert status == 200
    assert body["colleague"] | {"colleague_id": None} == {
        "colleague_id": None,
        "absent": False,
        "open_recoveries": 1,
        "open_promises": 1,
        "overdue_promises": 0,
        "points": 2,
        "capacity": 1,
        "share": 2.0,
        "overloaded": True,
    }


@pytest.mark.parametrize(
    ("scopes", "asking", "needed"),
    [
        ("read act_for", "nikos", "personnel"),
        ("read act_for", None, "personnel"),
        ("read", "anna", "act_for"),
        ("read admin personal", None, "personnel"),
    ],
)
def test_s4_31_nobody_else_is_told_of_it(shop: Service, scopes: str, asking: str | None, needed: str):
    status, body = seen(shop, "anna", scopes, asking)
    assert (status, body["type"].rpartition("/")[2], body["scope"]) == (403, "missing_scope", needed)


def test_s4_31_whoever_leads_somebody_no_more_is_told_no_more(shop: Service):
    shop.post("/v1/colleagues/eleni/change-role", {"manager": "petros"})
    assert seen(shop, "eleni", "read act_for", "lead")[0] == 403
    assert seen(shop, "eleni", "read act_for", "petros")[0] == 200


def test_without_a_colleague_only_teams_are_told_of(shop: Service):
    body = shop.get("/v1/reports/workload")
    assert (body["n"], body["colleague"]) == (2, None)
    assert [(one["team"], one["colleagues"], one["points"]) for one in body["teams"]] == [("desk", 6, 4)]
