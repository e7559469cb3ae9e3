"""`amends demo`: thirty simulated days of a small firm, then the service itself to look around in."""

import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal
from uuid import uuid4

import typer

from api.cli.output import AsJson, Output, Quiet
from api.cli.serving import run
from api.container import Container
from api.demo import play
from api.ending import Section, ending
from api.listening import listen
from api.logs import set_up_logs
from infrastructure.clock import utc_now
from infrastructure.migrate import migrate
from infrastructure.settings import Settings

SEED: Final = 7
SCOPES: Final = ("append", "read", "personal", "audit", "act_for", "admin")
SOURCES: Final = ("*",)


_EVENT: Final[dict[str, object]] = {
    "specversion": "1.0",
    "source": "urn:shop:till-4",
    "type": "amends.failure.reported.v1",
    "data": {"customer": {"kind": "crm", "value": "C-1001"}, "what": "late", "description": "A day late."},
}


class SimulatedClock:
    """Stands where it is set; runs with the system's clock once released."""

    def __init__(self) -> None:
        self._at: datetime | None = None

    def __call__(self) -> datetime:
        return self._at or utc_now()

    def set(self, at: datetime) -> None:
        """From now on it is this time."""
        self._at = at

    def release(self) -> None:
        """From now on it is whatever time it is."""
        self._at = None


def register(app: typer.Typer) -> None:
    """Adds this verb."""
    app.command()(demo)


def demo(
    customers: Annotated[int, typer.Option(min=0, help="Ordinary customers besides the told ones.")] = 52,
    days: Annotated[int, typer.Option(min=1, max=365, help="How many days are simulated.")] = 30,
    lang: Annotated[
        Literal["el", "pl", "en"] | None,
        typer.Option(help="What customers speak whose story does not say it: el, pl or en."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 0,
    serve: Annotated[bool, typer.Option(help="Serve when the story is told.")] = True,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Tell thirty days of a small firm into a throwaway SQLite file, then serve it on loopback."""
    output = Output(as_json, quiet)
    set_up_logs("warning")
    listening = listen("127.0.0.1", port)
    folder = Path(tempfile.mkdtemp(prefix="amends-demo-"))
    settings = Settings(
        database_url=f"sqlite:///{folder / 'amends.db'}",
        key_file=folder / "amends.key",
        host="127.0.0.1",
        port=listening.getsockname()[1],
    )
    migrate(settings)
    clock = SimulatedClock()
    container = Container(settings, clock)
    container.start_writing()
    _tell(container, clock, output, days, customers, lang)
    clock.release()
    if serve:
        container.start_working()
        run(container, listening, lambda: _invite(container, settings, folder, output))
    else:
        _invite(container, settings, folder, output)
        container.stop()


def _tell(
    container: Container,
    clock: SimulatedClock,
    output: Output,
    days: int,
    customers: int,
    lang: Literal["el", "pl", "en"] | None,
) -> None:
    told = play(container.writer.submit, clock.set, utc_now(), SEED, days, customers, lang)
    with output.progress(f"telling {days} days") as advance:
        for one in told:
            advance(one.done, one.total)
    container.projector.catch_up()
    # What the house learns by itself is among what is worth a first look.
    if container.learner.run_once():
        container.projector.catch_up()


def _ending(container: Container) -> list[Section]:
    """What the thirty days come to."""
    with container.unmoving_source() as source:
        return ending(source, container.clock())


def _invite(container: Container, settings: Settings, folder: Path, output: Output) -> None:
    sections = _ending(container)
    for one in sections:
        output.table(one.title, one.path, one.columns, one.rows)
    key = container.api_keys.create(settings.ledger, "demo", SCOPES, SOURCES)
    address = settings.address
    body = '{"customer": {"kind": "crm", "value": "C-1001"}}'
    curl = f"curl -H 'Authorization: Bearer {key}' --json '{body}' {address}/v1/customers"
    event = json.dumps(_EVENT | {"id": str(uuid4())})
    told = f"-H 'Content-Type: application/cloudevents+json' --data '{event}' {address}/v1/events"
    curl_event = f"curl -H 'Authorization: Bearer {key}' {told}"
    document = {
        "api": f"{address}/docs",
        "recoveries": f"{address}/v1/recoveries",
        "feed": f"{address}/v1/feed",
        "events": f"{address}/v1/events",
        "store": str(folder / "amends.db"),
        "key": key,
        "curl": curl,
        "curl_event": curl_event,
        "events_told": container.ledger.head(),
        "ends_with": {one.name: one.document() for one in sections},
    }
    output.result(
        document,
        f"{document['events_told']} events of thirty days are in {document['store']}",
        f"  the API       {document['api']}",
        f"  the queue     {document['recoveries']}",
        f"  the feed      {document['feed']}",
        f"  the ledger    {document['events']}",
        f"  a key         {key}",
        "Try this:",
        f"  {curl}",
        f"  {curl_event}",
        "For the tour in the README:",
        f"  export AMENDS={address} KEY={key}",
    )
