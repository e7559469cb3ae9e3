"""A real service over HTTP: writer, read models and keys on a real database, with a clock that tests move."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import make_url
from starlette.testclient import TestClient

from api.app import create_app
from api.container import Container
from infrastructure.migrate import migrate
from infrastructure.settings import Settings
from tests.support.writing import Clock

EVERYTHING = ("append", "read", "personal", "personnel", "audit", "act_for", "admin")


@dataclass
class Service:
    """The service under test. Read models move only when a test says so."""

    container: Container
    app: FastAPI
    clock: Clock
    http: TestClient

    def key(self, *scopes: str, sources: tuple[str, ...] = ("urn:test",), ledger: str = "main") -> dict[str, str]:
        """The header of a new key with these scopes."""
        bearer = self.container.api_keys.create(ledger, "test", scopes or EVERYTHING, sources)
        return {"Authorization": f"Bearer {bearer}"}

    def project(self) -> None:
        """Lets the read models catch up."""
        self.container.projector.catch_up()

    def post(self, path: str, body: Any = None, *, status: int = 201, **headers: str) -> dict[str, Any]:
        """The answer to a POST with every scope, which must have this status."""
        answer = self.http.post(path, json=body, headers=_named(headers))
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str, *, status: int = 200, **headers: str) -> dict[str, Any]:
        """The answer to a GET with every scope, read models caught up, which must have this status."""
        self.project()
        answer = self.http.get(path, headers=_named(headers))
        assert answer.status_code == status, answer.text
        return answer.json()

    def customer(self, number: str = "C-1042") -> str:
        """The id of the customer with this number, opened if need be."""
        answer = self.http.post("/v1/customers", json={"customer": {"kind": "crm", "value": number}})
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["customer_id"])


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _unhurried(database: str) -> str:
    """The same address, at which a machine that stands still for a moment has time enough to connect."""
    url = make_url(database)
    if url.get_backend_name() == "postgresql" and "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": "60"})
    return url.render_as_string(hide_password=False)


@contextmanager
def service(
    database: str,
    folder: Path,
    *,
    told_by: Callable[[Clock], Callable[[], datetime]] = lambda clock: clock,
    **settings: Any,
) -> Iterator[Service]:
    """A service on this database with a key that has every scope but `import`.

    `told_by` makes what the service takes for the time out of the clock that the test moves.
    """
    chosen = Settings(database_url=_unhurried(database), key_file=folder / "amends.key", **settings)
    migrate(chosen)
    clock = Clock()
    container = Container(chosen, told_by(clock))
    app = create_app(container)
    container.start_writing()
    container.projector.catch_up()
    # raise_server_exceptions stays on: an exception that reaches the server is a fault of ours.
    with TestClient(app, base_url="http://127.0.0.1:8080") as http:
        made = Service(container, app, clock, http)
        http.headers.update(made.key())
        try:
            yield made
        finally:
            container.stop()
