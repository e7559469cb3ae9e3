"""A worker that dies leaves its job to the next one, which knows from the database alone that it is free."""

import pytest
from sqlalchemy import Connection, Row, select

from infrastructure.bell import PATIENCE_SECONDS
from infrastructure.leases import LASTS
from infrastructure.tables import leases
from tests.support.inspection import reading
from tests.support.processes import House, eventually


def holder(conn: Connection) -> Row[tuple[str, object]] | None:
    """Who has the right to project, and until when."""
    conn.rollback()
    return conn.execute(select(leases.c.holder, leases.c.expires_at).where(leases.c.name == "projector")).first()


def test_a_dead_workers_right_runs_out_in_time_to_be_taken_over_within_ten_seconds() -> None:
    assert LASTS.total_seconds() + PATIENCE_SECONDS < 10


@pytest.mark.soak
def test_a_killed_worker_is_replaced_and_readiness_tells_both(postgres_house: House) -> None:
    house = postgres_house
    with house.serving("--no-worker") as server, reading(house) as conn, house.working() as first:
        eventually(lambda: holder(conn) is not None, "the first worker projects")
        dead = holder(conn)
        with server.http() as http:
            first.kill()
            made = http.post("/v1/customers", json={}).json()
            eventually(lambda: http.get("/readyz").json()["projector"] == "absent", "nobody projects")
            assert http.get("/readyz").json()["lag"] == made["position"]
            with house.working():
                eventually(lambda: http.get("/readyz").json()["projector"] == "held", "another took over")
                server.project(made["position"])
                taken = holder(conn)
    assert dead is not None
    assert taken is not None
    assert taken.holder != dead.holder
