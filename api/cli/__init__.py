"""The command line: `amends VERB`. Each verb is a module beside this one."""

import sys
from collections.abc import Iterator

import typer
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from api.cli import demonstrating, documents, importing, keys, rebuilding, replaying, serving
from domain.errors import AmendsError
from infrastructure.reasons import hindrance
from infrastructure.settings import Settings

app = typer.Typer(
    name="amends",
    help="Service recovery as a ledger: what went wrong for a customer, how it was put right, and the proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for module in (serving, demonstrating, importing, replaying, rebuilding, documents):
    module.register(app)
app.add_typer(keys.app, name="keys")


def main() -> None:
    """Runs the command line. What stops it prints one line and ends with exit code 1; a bug, its traceback."""
    try:
        app()
    except AmendsError as fault:
        sys.exit(f"{fault.code}: {fault}")
    except ValidationError as fault:
        if fault.title != Settings.__name__:
            raise
        sys.exit("\n".join(_wrong_settings(fault)))
    except DBAPIError as fault:
        line = hindrance(fault)
        if line is None:
            raise
        sys.exit(line)


def _wrong_settings(fault: ValidationError) -> Iterator[str]:
    """A line for each; without the value, which may be an address with a password."""
    for one in fault.errors(include_url=False, include_input=False):
        yield f"invalid_value: AMENDS_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}"
