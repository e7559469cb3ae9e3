"""`amends rebuild` and `amends projections`: read models made anew, and the streams they could not fold."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Final

import structlog
import typer

from api.cli.given import settings_given
from api.cli.output import AsJson, Output, Quiet
from api.container import Container
from infrastructure.parking import ParkedStream
from projections import ALL

NO_SUCH: Final = 4
STILL_PARKED: Final = 1


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    app.command()(rebuild)
    projections = typer.Typer(help="Work on read models.", no_args_is_help=True)
    projections.command()(parked)
    projections.command()(release)
    app.add_typer(projections, name="projections")


def rebuild(
    name: Annotated[str, typer.Argument(help="The projection, or all.")],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fold a projection anew beside the live one and switch when it has caught up. Reads go on meanwhile.

    Streams that it could not fold are listed, and it ends with 1.
    """
    output = Output(as_json, quiet)
    names = [one.name for one in ALL]
    if name not in {*names, "all"}:
        output.error(f"there is no projection {name}; there are {', '.join(names)}")
        raise typer.Exit(NO_SUCH)
    with _container() as container:
        for one in names if name == "all" else [name]:
            with output.progress(f"rebuilding {one}") as advance:
                container.projector.rebuild(one, advance)
        stuck = [one for one in container.projector.parked() if name in {one.projection, "all"}]
    output.result({"rebuilt": name, "parked": [asdict(one) for one in stuck]}, f"Rebuilt: {name}.")
    _end_with(stuck, output)


def parked(as_json: AsJson = False, quiet: Quiet = False) -> None:
    """List the streams that a read model could not fold, from which event on, and what kind of fault it was."""
    with _container() as container:
        streams = container.projector.parked()
    Output(as_json, quiet).answer({"parked": [asdict(one) for one in streams]}, *map(_line, streams))


def release(as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Fold the streams that were parked after a fault; do this once the fault is mended. Projecting goes on.

    Streams that are parked still are listed, and it ends with 1.
    """
    output = Output(as_json, quiet)
    with _container() as container:
        released = container.projector.release()
        still = container.projector.parked()
    output.result(
        {"released": released, "parked": [asdict(one) for one in still]}, f"{released} streams released."
    )
    _end_with(still, output)


@contextmanager
def _container() -> Iterator[Container]:
    """The parts of this process. What got stuck is told by the verb, so nothing is logged into its output."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    container = Container(settings_given())
    try:
        yield container
    finally:
        container.stop()


def _end_with(parked: Sequence[ParkedStream], output: Output) -> None:
    for one in parked:
        output.error(f"parked: {_line(one)}")
    if parked:
        raise typer.Exit(STILL_PARKED)


def _line(one: ParkedStream) -> str:
    return f"{one.projection}, stream {one.stream_id}, event {one.position}: {one.error}"
