"""`amends import`: other systems' files, told to the ledger; every bad row is named, every good one kept."""

import csv
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from api.cli.given import settings_given
from api.cli.output import AsJson, Output, Quiet
from api.container import Container
from api.importers.cases import Importer
from api.importers.cfpb import Cfpb
from api.importers.rows import Reject, UnusableFile, open_source
from api.importers.run import Tally, read, run
from api.importers.uci import UciIncidents

KINDS: Final[dict[str, type[Importer]]] = {"cfpb": Cfpb, "uci-incidents": UciIncidents}
REFUSED: Final = 2
SHOWN_AT_MOST: Final = 20


def register(app: typer.Typer) -> None:
    """Adds this verb."""
    app.command("import")(import_file)


def import_file(
    kind: Annotated[str, typer.Argument(help="cfpb or uci-incidents.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file, also .xz.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and count, append nothing.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="Where refused rows are written, as CSV.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Import a file. A second run appends nothing; after a kill, run it again. Exit code 2: rows were refused."""
    output = Output(as_json, quiet)
    if kind not in KINDS:
        raise typer.BadParameter(f"kind is one of {', '.join(KINDS)}")
    importer = KINDS[kind]()
    try:
        tally = _import(importer, file, output, dry_run=dry_run)
    except UnusableFile as fault:
        # Refused whole: its header is the one record to be named.
        tally = Tally(rows=0, rejects=[Reject(fault.line, fault.reason + _other_kind(kind, file), ())])
    _write_rejects(rejects, tally)
    _report(output, file, tally, dry_run=dry_run)
    if tally.rejects:
        raise typer.Exit(REFUSED)


def _other_kind(kind: str, file: Path) -> str:
    """Which other kind this file looks like, if any."""
    for other in KINDS.keys() - {kind}:
        with suppress(UnusableFile):
            open_source(file, KINDS[other].REQUIRED)
            return f"; this looks like a file for: amends import {other}"
    return ""


def _import(importer: Importer, file: Path, output: Output, *, dry_run: bool) -> Tally:
    source = open_source(file, importer.REQUIRED)
    if dry_run:
        with output.progress(f"reading {file.name}") as advance:
            return read(importer, source, advance)
    container = Container(settings_given())
    container.start_writing()
    try:
        with output.progress(f"importing {file.name}") as advance:
            tally = run(importer, source, container.writer.submit, container.keyring, advance)
        with output.progress("projecting") as advance:
            container.projector.catch_up(advance)
    finally:
        container.stop()
    return tally


def _write_rejects(path: Path | None, tally: Tally) -> None:
    """Every refused record with its line and reason, in the order of the file."""
    if path is None:
        return
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["line", "reason", "record"])
        for reject in tally.rejects:
            lines.writerow([reject.line, reject.reason, *reject.raw])


def _report(output: Output, file: Path, tally: Tally, *, dry_run: bool) -> None:
    document = {
        "file": file.name,
        "rows": tally.rows,
        "accepted": tally.accepted,
        "refused": len(tally.rejects),
        "events": tally.events,
        "replayed": tally.replayed,
        "dry_run": dry_run,
        "rejects": [{"line": reject.line, "reason": reject.reason} for reject in tally.rejects[:SHOWN_AT_MOST]],
    }
    for reject in tally.rejects[:SHOWN_AT_MOST]:
        output.error(f"{file.name}: line {reject.line}: {reject.reason}")
    output.result(
        document,
        f"{tally.rows} rows read, {tally.accepted} accepted, {len(tally.rejects)} refused; "
        f"{tally.events} events appended, {tally.replayed} steps known already.",
    )
