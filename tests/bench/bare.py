"""What a request costs with nothing behind it: FastAPI as it comes, served with our own settings of uvicorn.

The POST checks the same body against a model and says a few words; it knows no keys and stores nothing. The GET
asks PostgreSQL one thing over a pooled connection, without a key.
"""

import ctypes
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Literal
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

POOL: Final = 8
"""Connections of the pool, not tuned: fewer or more were not tried side by side."""
QUERY: Final = (
    "SELECT version, position, score, band, basis, stated, instrument, stated_at, baseline, failed_again, paradox,"
    " plausible FROM satisfaction_state WHERE ledger = 'main' AND generation = 1 AND stream_id = %s"
)

PR_SET_PDEATHSIG: Final = 1


class Update(BaseModel):
    """The body of the POST."""

    kind: Literal["progress", "proactive", "delay", "result"]
    note: str


class Done(BaseModel):
    """Its answer."""

    customer_id: UUID
    kind: str
    length: int


def application(url: str) -> FastAPI:
    """The application, on this database."""

    @asynccontextmanager
    async def connected(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncConnectionPool(
            url, min_size=POOL, max_size=POOL, open=False, kwargs={"autocommit": True, "row_factory": dict_row}
        ) as pool:
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=connected)

    @app.post("/v1/customers/{customer_id}/update-customer", status_code=201)
    async def update(customer_id: UUID, body: Update) -> Done:
        return Done(customer_id=customer_id, kind=body.kind, length=len(body.note))

    @app.get("/v1/customers/{customer_id}")
    async def customer(customer_id: UUID) -> Any:
        async with app.state.pool.connection() as conn:
            return await (await conn.execute(QUERY, (customer_id,))).fetchone()

    return app


def main(url: str) -> None:
    """Serves it, and says where."""
    # It dies with whoever measures, however he dies.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    config = uvicorn.Config(
        application(url),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
    )
    sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}/\n")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1])
