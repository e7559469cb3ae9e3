"""`amends migrate`, `serve`, `worker`: the schema, the HTTP service, the work behind it."""

import signal
import socket
import threading
from collections.abc import Callable
from typing import Annotated, Final

import typer
import uvicorn

from api.cli.given import settings_given
from api.cli.output import AsJson, Output, Quiet
from api.container import Container
from api.listening import listen, metrics_served
from api.logs import nothing_but_logs, set_up_logs
from infrastructure.key_file import KeysBroken
from infrastructure.migrate import NotMigrated, check
from infrastructure.migrate import migrate as bring_up
from infrastructure.settings import Settings

GRACE_SECONDS: Final = 2
"""How long requests under way may take after a SIGTERM; nothing confirmed is lost."""
LAST_PAGE_SECONDS: Final = 3
"""How long the page of a worker may take after a SIGTERM; what it leaves is folded again."""


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    app.command()(migrate)
    app.command()(serve)
    app.command()(worker)


def migrate(as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Bring the database to the newest schema; on an empty one make the key file too."""
    settings = settings_given()
    empty, keyless = _is_empty(settings), not settings.key_file.exists()
    bring_up(settings)
    keyed = keyless and settings.key_file.exists()
    document = {"ledger": settings.ledger, "migrated": True, "database_made": empty, "key_file_made": keyed}
    lines = ["The tables were made."] if empty else []
    if keyed:
        why = "without it personal parts cannot be read, so keep a copy elsewhere"
        lines.append(f"The key file {settings.key_file} was made: {why}.")
    Output(as_json, quiet).result(document, *lines, "The database is up to date.")


def _is_empty(settings: Settings) -> bool:
    try:
        check(settings)
    except NotMigrated as fault:
        return fault.at == "empty"
    except KeysBroken:
        pass
    return False


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = None,
    worker: Annotated[bool, typer.Option(help="Project and sweep in this process too.")] = True,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Serve the HTTP API; with --no-worker the projecting is left to `amends worker`."""
    settings = settings_given()
    listening = listen(host or settings.host, settings.port if port is None else port)
    settings = settings.model_copy(update={"host": host or settings.host, "port": listening.getsockname()[1]})
    set_up_logs(settings.log_level)
    nothing_but_logs()
    container = Container(settings)
    with metrics_served(settings.host, settings.metrics_port, container.metrics.registry):
        container.start_writing()
        if worker:
            container.start_working()
        output, line = Output(as_json, quiet), f"Amends serves {settings.address}/"
        run(container, listening, lambda: output.result({"address": settings.address}, line))


def run(container: Container, listening: socket.socket, announce: Callable[[], None]) -> None:
    """Serves a started container until told to stop, then finishes what was accepted.

    `announce` says where; from then on a signal is heard.
    """
    # Only who serves needs it: the other verbs start in half the time without.
    from api.app import create_app

    config = uvicorn.Config(
        create_app(container),
        log_config=None,
        access_log=False,
        server_header=False,
        # Nobody here asks who the caller of a proxy was.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=30,
    )
    server = _Server(config, container)
    # Uvicorn raises the signal once more when it is done: by default that would end us before the container stops.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    announce()
    try:
        server.run(sockets=[listening])
    finally:
        container.stop()


class _Server(uvicorn.Server):
    """A server whose end does not wait for a database that does not answer."""

    def __init__(self, config: uvicorn.Config, container: Container) -> None:
        super().__init__(config)
        self._container = container

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets requests end within the grace, then takes the connections from those that did not."""
        await super().shutdown(sockets)
        # Their threads cannot be cancelled, and the loop does not end before they have.
        self._container.stop_reading()


def worker(as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Project and sweep without serving; as many as you like, one of them works at a time."""
    settings = settings_given()
    set_up_logs(settings.log_level)
    nothing_but_logs()
    container = Container(settings)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    with metrics_served(settings.host, settings.metrics_port, container.metrics.registry):
        container.start_writing()
        container.start_working()
        Output(as_json, quiet).result({"ledger": settings.ledger}, f"Amends works on the ledger {settings.ledger}")
        told.wait()
        container.stop(within_seconds=LAST_PAGE_SECONDS)
