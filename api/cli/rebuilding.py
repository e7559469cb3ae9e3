"""`amends rebuild` and `amends projections release`: read models made anew beside the live ones."""

from typing import Annotated

import typer

from api.cli.output import AsJson, Output, Quiet
from api.container import Container
from infrastructure.settings import Settings
from projections import ALL

NO_SUCH = 4


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    app.command()(rebuild)
    projections = typer.Typer(help="Work on read models.", no_args_is_help=True)
    projections.command()(release)
    app.add_typer(projections, name="projections")


def rebuild(
    name: Annotated[str, typer.Argument(help="The projection, or all.")],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fold a projection anew beside the live one and switch when it has caught up. Reads go on meanwhile."""
    output = Output(as_json, quiet)
    names = [one.name for one in ALL]
    if name not in {*names, "all"}:
        output.error(f"there is no projection {name}; there are {', '.join(names)}")
        raise typer.Exit(NO_SUCH)
    container = Container(Settings())
    try:
        for one in names if name == "all" else [name]:
            with output.progress(f"rebuilding {one}") as advance:
                container.projector.rebuild(one, advance)
    finally:
        container.stop()
    output.result({"rebuilt": name}, f"Rebuilt: {name}.")


def release(
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fold the streams that were parked after a fault; do this once the fault is mended."""
    container = Container(Settings())
    try:
        released = container.projector.release()
    finally:
        container.stop()
    Output(as_json, quiet).result({"released": released}, f"{released} streams released.")
