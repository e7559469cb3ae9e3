"""`amends keys`: credentials for services, made, listed and revoked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer

from api.cli.given import settings_given
from api.cli.output import AsJson, Output, Quiet
from infrastructure.api_keys import SCOPES, ApiKeys, KeyInfo
from infrastructure.engine import make_engine
from infrastructure.migrate import check

app = typer.Typer(help="Credentials for services that post and read.", no_args_is_help=True)
DEFAULT_SCOPES: Final = ("append", "read")
NO_SUCH: Final = 4
SCOPE_HELP: Final = f"{', '.join(sorted(SCOPES))}; may be given several times. Without it: append and read."
SOURCE_HELP: Final = "A CloudEvents source that the key may speak for; may be given several times."


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, as in webshop.")],
    scope: Annotated[list[str] | None, typer.Option(help=SCOPE_HELP)] = None,
    source: Annotated[list[str] | None, typer.Option(help=SOURCE_HELP)] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make a key. It is shown once; the database keeps only its hash."""
    with _keys() as (keys, ledger):
        key = keys.create(ledger, name, scope or DEFAULT_SCOPES, source or ())
    output = Output(as_json, quiet)
    if as_json:
        output.result({"name": name, "key": key})
    else:
        output.asked(key)


@app.command("list")
def list_keys(as_json: AsJson = False, quiet: Quiet = False) -> None:
    """List the keys of the ledger, without their secrets."""
    with _keys() as (keys, ledger):
        found = [_told(info) for info in keys.list(ledger)]
    lines = [f"{one['key_id']}  {one['state']:8}{','.join(one['scopes'])}  {one['name']}" for one in found]
    Output(as_json, quiet).answer({"keys": found}, *lines)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id in the middle of the key.")],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Revoke a key; every process refuses it within five seconds."""
    output = Output(as_json, quiet)
    with _keys() as (keys, ledger):
        done = keys.revoke(ledger, key_id)
    if not done:
        output.error(f"there is no living key {key_id}")
    output.result({"key_id": key_id, "revoked": done}, *(["Revoked."] if done else []))
    if not done:
        raise typer.Exit(NO_SUCH)


@contextmanager
def _keys() -> Iterator[tuple[ApiKeys, str]]:
    """The keys of the database the settings name, and the ledger they are for."""
    settings = settings_given()
    check(settings)
    engine = make_engine(settings.database_url, patience_seconds=settings.database_patience_seconds)
    try:
        yield ApiKeys(engine), settings.ledger
    finally:
        engine.dispose()


def _told(info: KeyInfo) -> dict[str, Any]:
    key = info.credential
    return {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "sources": list(key.sources),
        "state": "revoked" if info.revoked_at else "living",
        "created_at": info.created_at,
        "revoked_at": info.revoked_at,
    }
