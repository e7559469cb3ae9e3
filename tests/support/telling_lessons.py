"""Lessons over HTTP: drafted, told to everybody, learned from what was put right."""

from typing import Any

from tests.support.http import Service

NOTICE = {"kind": "notice", "title": "No receipt below 50.00", "text": "Nobody is asked for a receipt any more."}
LEAD = {"by": {"colleague_id": "lead-1"}}
ME = {"by": {"colleague_id": "m-7"}}
MECHANIC = {"role": "mechanic", "role_class": "back", "team": "workshop"}
LATE = {"what": "late", "severity": 4, "description": "Maria waited an hour in the rain.", "order": "XZ-4711"}


def drafted(amends: Service, **said: Any) -> str:
    return str(amends.post("/v1/lessons", said or NOTICE)["lesson_id"])


def told(amends: Service, lesson: str, **said: Any) -> str:
    amends.post(f"/v1/lessons/{lesson}/approve", LEAD)
    amends.post(f"/v1/lessons/{lesson}/publish", said)
    return lesson


def put_right(amends: Service, number: str = "C-1042", **said: Any) -> tuple[str, str]:
    """A customer and a recovery of his that was put right."""
    customer = amends.customer(number)
    address = f"/v1/customers/{customer}"
    recovery = amends.post(f"{address}/report-failure", LATE | said)["ids"]["recovery_id"]
    for command, body in (
        ("acknowledge", {}),
        ("apologise", {"said": "admits"}),
        ("deliver-remedy", {"remedy_kind": "refund"}),
        ("resolve", {}),
    ):
        amends.post(f"{address}/{command}", {"recovery_id": recovery} | body)
    return customer, recovery


def feed(amends: Service, query: str = "", **headers: str) -> list[dict[str, Any]]:
    return amends.get(f"/v1/feed{query}", **headers)["items"]
