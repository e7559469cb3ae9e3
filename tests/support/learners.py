"""Learners of a running service: others of the same ledger, what they learn from, and what they asked for."""

from typing import Any

from sqlalchemy import select

from infrastructure.learning import Learner
from infrastructure.tables import tallies, tracking
from tests.support.http import Service

CLERK = {"role": "representative", "role_class": "front", "team": "desk"}


def learner(amends: Service, **chosen: Any) -> Learner:
    """Another one of the same ledger, as another process would have it."""
    parts = amends.container
    given = {"look": parts.learned, "submit": parts.writer.submit} | chosen
    look, submit = given.pop("look"), given.pop("submit")
    return Learner(parts.working, "main", look, submit, parts.keyring.fingerprint, amends.clock, **given)


def gaps(amends: Service, times: int, topic: str = "returns", of: str = "C-1042") -> None:
    """So often nobody had been trained in this, as this customer's story tells."""
    customer = amends.customer(of)
    said = {"kind": "no_training", "topic": topic, "by": {"colleague_id": "m-7"}}
    for _ in range(times):
        amends.post(f"/v1/customers/{customer}/report-obstacle", said)
    amends.project()


def joined(amends: Service) -> Service:
    """The same, where a colleague has joined."""
    amends.post("/v1/colleagues/m-7/join", CLERK)
    return amends


def asked(amends: Service) -> list[str]:
    """The topics in which help was asked for, in order."""
    facts = amends.container.ledger.facts(0, 10_000)
    return [fact.event.topic for fact in facts if fact.event.TOPIC == "help.asked"]  # type: ignore[attr-defined]


def counted(amends: Service) -> tuple[list[tuple[Any, ...]], int | None]:
    """Every count as it is stored, and how far it goes."""
    with amends.container.engine.connect() as conn:
        rows = [tuple(row) for row in conn.execute(select(tallies).order_by(*tallies.primary_key))]
        reached = conn.execute(select(tracking.c.position).where(tracking.c.name == "learning")).scalar()
    return rows, reached
