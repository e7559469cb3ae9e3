"""`amends openapi` and `amends schema`: the documents that other programs are built from."""

from typing import Annotated, Any

import orjson
import typer

from api.cli.given import settings_given
from api.cli.output import AsJson, Output, Quiet

NO_SUCH = 4


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    app.command()(openapi)
    app.command()(schema)


def openapi(as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Print the OpenAPI document of the HTTP API: JSON, asked for or not."""
    # The application is made for whoever asks for its description; the other verbs start without it.
    from api.app import document

    _print(document(max_batch=settings_given().max_batch))


def schema(
    kind: Annotated[str | None, typer.Argument(help="An event type, as in amends.failure.reported.v1.")] = None,
    command: Annotated[bool, typer.Option("--command", help="The command's body instead of the event.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Print the JSON Schema of an event type, or the list of types: JSON, asked for or not."""
    from api.schemas import schema_of, types

    if kind is None:
        _print({"types": types()})
        return
    found = schema_of(kind, as_command=command)
    if found is None:
        Output().error(f"there is no type {kind}")
        raise typer.Exit(NO_SUCH)
    _print(found)


def _print(content: Any) -> None:
    Output().asked(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
