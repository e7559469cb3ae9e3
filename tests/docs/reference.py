"""The reference pages made from the code, so that they cannot say anything else than it does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, get_args

import typer

from api.cli import app
from api.http_metrics import HttpMetrics
from infrastructure.metrics import Metrics
from infrastructure.settings import Settings
from infrastructure.vitals import Holder, Rebuild, Vitals
from infrastructure.webhooks.figures import Mailroom

CLI_HEAD = """# Command line

Made from `amends --help` by `tests/docs/test_reference.py`; do not edit it by hand.

Results go to standard output, progress and errors to standard error. Every verb takes `--json` (one JSON
document instead of words) and `--quiet` (nothing but errors and what was asked for). On a terminal there are
progress bars, in a pipe plain lines; `NO_COLOR` is honoured.

| exit code | means |
|---|---|
| 0 | done |
| 1 | it could not be done; one line says why |
| 2 | it was called in a wrong way, or (`import`) rows were refused |
| 4 | there is no such customer, version, key, type or projection |
"""
EVERYWHERE = ("as_json", "quiet")
"""Options that every verb has; the page tells of them once."""
SETTINGS_HEAD = """# Settings

Made from the code by `tests/docs/test_reference.py`; do not edit it by hand.

Every setting is an environment variable. There is no other file of settings. A process does not start with an
`AMENDS_...` that is none of these: misspelt, it would seem to be in force.

| variable | default | what it is |
|---|---|---|
"""
METRICS_HEAD = """# Metrics

Made from the code by `tests/docs/test_reference.py`; do not edit it by hand.

What `GET /metrics` tells Prometheus, besides the usual `process_...` figures. Those of a worker, which has no HTTP
side, lack `amends_http_...` and `amends_refusals`. What to do about them: [operations](../operations.md#alarms).

| metric | kind | labels | what it tells |
|---|---|---|---|
"""
_EVERYTHING = Vitals(
    head=1,
    positions={"feed": 1},
    parked={"feed": 0},
    rebuilds=[Rebuild("feed", 1, 1, 0)],
    projector=Holder(held=True),
    waiting=timedelta(0),
    oldest_snapshot_seconds=0.0,
    wal_bytes=0,
)
"""Vitals in which nothing is absent."""
_ENDING = {"counter": "_total", "info": "_info"}


def cli_page() -> str:
    """docs/reference/cli.md."""
    root = typer.main.get_command(app)
    return CLI_HEAD + "".join(_verb(path, command) for path, command in verbs(root, ("amends",)))


def settings_page() -> str:
    """docs/reference/settings.md."""
    rows = [
        f"| `AMENDS_{name.upper()}` | {_default(one.default)} | {one.description}{_choice(one.annotation)} |\n"
        for name, one in Settings.model_fields.items()
    ]
    return SETTINGS_HEAD + "".join(rows)


class MetricFamily(NamedTuple):
    """A metric as the page shows it."""

    name: str
    kind: str
    labels: list[str]
    told: str


def metric_families() -> list[MetricFamily]:
    """Every metric of ours, sorted by name."""
    metrics = Metrics("main")
    http = HttpMetrics(metrics.registry)
    http.answered("/", "GET", 200, 0.1, {})
    metrics.watch_queue(lambda: 0, 1)
    metrics.watch_queue_bytes(lambda: 0, 1)
    metrics.sweeping(datetime.fromtimestamp(0, UTC))
    metrics.looked(datetime.fromtimestamp(0, UTC))
    metrics.watch_connections(lambda: 0, 1)
    metrics.watch_writing(lambda: False)
    metrics.watch_ledger(lambda: _EVERYTHING)
    metrics.watch_webhooks(lambda: Mailroom(0, 0, 0))
    return sorted(
        MetricFamily(one.name, one.type, sorted({*one.samples[0].labels} - {"le"}), one.documentation)
        for one in metrics.registry.collect()
        if one.name.startswith("amends")
    )


def metrics_page() -> str:
    """docs/reference/metrics.md."""
    rows = [
        f"| `{one.name}{_ENDING.get(one.kind, '')}` | {one.kind} | {', '.join(one.labels)} | {one.told} |\n"
        for one in metric_families()
    ]
    return METRICS_HEAD + "".join(rows)


def verbs(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(its words, the command) of every verb, those of groups included."""
    for name, one in getattr(command, "commands", {}).items():
        if hasattr(one, "commands"):
            yield from verbs(one, (*path, name))
        else:
            yield (*path, name), one


def _verb(path: tuple[str, ...], command: Any) -> str:
    params = [one for one in command.params if one.name not in EVERYWHERE]
    arguments = [_placeholder(one) for one in params if one.param_type_name == "argument"]
    rows = "".join(f"| {_names(one)} | {_told(one)} |\n" for one in params)
    table = f"\n| argument or option | what it is |\n|---|---|\n{rows}" if rows else ""
    return f"\n## `{' '.join([*path, *arguments])}`\n\n{command.help}\n{table}"


def _placeholder(argument: Any) -> str:
    name = argument.name.upper()
    return name if argument.required else f"[{name}]"


def _names(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"`{param.name.upper()}`"
    return " ".join(f"`{name}`" for name in [*param.opts, *param.secondary_opts])


def _told(param: Any) -> str:
    parts = [param.help]
    if param.secondary_opts:
        parts.append(f"Unless said otherwise: `{(param.opts if param.default else param.secondary_opts)[0]}`.")
    elif param.default is not None and not getattr(param, "is_flag", False):
        parts.append(f"Default: {param.default}.")
    return " ".join(parts)


def _default(value: object) -> str:
    return "none" if value is None else f"`{value}`"


def _choice(annotation: object) -> str:
    choices = [one for one in get_args(annotation) if isinstance(one, str)]
    return f" One of {', '.join(choices)}." if choices else ""
