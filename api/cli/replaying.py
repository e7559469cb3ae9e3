"""`amends replay`: a customer's story as it stood at a version or a time, folded anew from the events."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from api.cli.given import settings_given
from api.cli.output import AsJson, Output, Quiet
from api.container import Container
from api.replay import Point, Replay, replayed
from domain.errors import UnknownRef

NO_SUCH = 4


def register(app: typer.Typer) -> None:
    """Adds this verb."""
    app.command()(replay)


def replay(
    customer: Annotated[UUID, typer.Argument(help="The customer's id.")],
    at: Annotated[str | None, typer.Option(help="A version (17) or a time (2026-03-02T09:00:00Z).")] = None,
    diff: Annotated[tuple[str, str] | None, typer.Option(help="Two such points to compare.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fold a customer's events anew and print state and timeline. Exit code 4: no such customer or version."""
    output = Output(as_json, quiet)
    points = [_point(one) for one in (diff or (at,))]
    container = Container(settings_given())
    try:
        told = [replayed(container.ledger, customer, point) for point in points]
    except UnknownRef as fault:
        output.error(str(fault))
        raise typer.Exit(NO_SUCH) from fault
    finally:
        container.stop()
    if diff is None:
        _print(output, told[0])
    else:
        _print_difference(output, told[0], told[1])


def _point(text: str | None) -> Point:
    if text is None:
        return Point()
    if text.isdigit():
        return Point(version=int(text))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a point is a version or an ISO 8601 time") from None
    if time.tzinfo is None:
        raise typer.BadParameter("a time needs a zone, as in 2026-03-02T09:00:00Z")
    return Point(time=time)


def _print(output: Output, told: Replay) -> None:
    document = told.model_dump(mode="json")
    lines = [f"{one['position']:>8}  {one['occurred_at']}  {one['type']}" for one in document["timeline"]]
    output.answer(document, *lines, f"version {told.version}, {_score(told)}")


def _print_difference(output: Output, before: Replay, after: Replay) -> None:
    added = [one for one in after.timeline if one.version > before.version]
    document = {
        "from": before.model_dump(mode="json", exclude={"timeline"}),
        "to": after.model_dump(mode="json", exclude={"timeline"}),
        "added": [one.model_dump(mode="json") for one in added],
    }
    lines = [f"{one.position:>8}  {one.occurred_at.isoformat()}  {one.type}" for one in added]
    output.answer(document, *lines, f"{_score(before)} -> {_score(after)}")


def _score(told: Replay) -> str:
    found = told.satisfaction
    return "no score" if found is None else f"score {found.score / 100:.2f} ({found.band})"
