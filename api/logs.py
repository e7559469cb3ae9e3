"""Log lines: one JSON object each, with codes, ids and numbers; never a customer's words."""

import json
import logging
import sys
import threading
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, Final

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

from api import noting
from infrastructure.reasons import codes


def set_up_logs(level: str) -> None:
    """Sends every log line of the process to standard error as JSON."""
    structlog.configure(
        # One for all: there is a line for every request, and passing it on from one to the next takes its time.
        processors=[_completed],
        wrapper_class=_straight(structlog.make_filtering_bound_logger(getattr(logging, level.upper()))),
        logger_factory=_Lines,
        cache_logger_on_first_use=True,
    )
    # Libraries log through the standard module; their words may quote values, so only their names go on.
    logging.basicConfig(level=logging.WARNING, handlers=[_NamesOnly()], force=True)


class _Straight:
    """Takes a line from where it is told to where it is written, without the steps that nobody needs here."""

    _context: EventDict
    _logger: "_Lines"

    def _proxy_to_logger(self, method: str, event: str, /, **told: Any) -> None:
        self._logger.msg(_completed(None, method, {**self._context, **told, "event": event}))


def _straight(filtering: type) -> type:
    """The same logger, which passes over what is below its level, going straight."""
    return type("Straight", (_Straight, filtering), {})


def _completed(_logger: WrappedLogger, method: str, line: EventDict) -> str:
    """The line with its level and time, tied to the request that is being answered and to its trace."""
    line.update(noting.links())
    line["level"] = _LEVELS.get(method, method)
    second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    line["timestamp"] = f"{_second(second)}.{nanoseconds // 1000:06d}Z"
    return _rendered(line)


@lru_cache(maxsize=4)
def _second(since_1970: int) -> str:
    return datetime.fromtimestamp(since_1970, UTC).replace(tzinfo=None).isoformat()


_LEVELS: Final = {"warn": "warning", "exception": "error"}
"""What other names of the methods stand for."""


# For what orjson does not know or would not escape. Made once: json.dumps makes one for every such line.
_ENCODER: Final = json.JSONEncoder(default=repr)


def _rendered(line: EventDict) -> str:
    # Everything but printable ASCII is escaped, so that nothing a reader takes for the end of a line is left.
    try:
        told = orjson.dumps(line).decode()
    except TypeError:
        return _ENCODER.encode(line)
    return told if told.isascii() and told.isprintable() else _ENCODER.encode(line)


def nothing_but_logs() -> None:
    """Turns what Python itself would write to standard error, messages and all, into log lines of this process."""
    logging.captureWarnings(True)
    sys.excepthook = _process_ended
    threading.excepthook = _thread_ended
    sys.unraisablehook = _unraisable


def of_fault(fault: BaseException) -> dict[str, Any]:
    """Where it happened and of which kind. Never the message: it may quote what a customer said."""
    frames = traceback.extract_tb(fault.__traceback__)
    at = [f"{one.filename}:{one.lineno}" for one in frames[-8:]]
    return {"fault": type(fault).__name__, "at": at, **codes(fault)}


class _Lines(structlog.WriteLogger):
    """Standard error, where a full disk loses lines and stops nobody who writes them."""

    def __init__(self, *_: Any) -> None:
        super().__init__(sys.stderr)

    def msg(self, message: str) -> None:
        """Writes the line, if it can be written."""
        with suppress(OSError):
            super().msg(message)

    debug = info = warning = error = critical = msg


class _NamesOnly(logging.Handler):
    """Passes on that a library warned, and which, without its words."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        log.warning("library_log", library=record.name, level_name=record.levelname, line=record.lineno)


def _process_ended(_kind: type[BaseException], fault: BaseException, _trace: TracebackType | None) -> None:
    structlog.get_logger("amends.threads").critical("process_ended", **of_fault(fault))


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        name = ended.thread.name if ended.thread is not None else None
        structlog.get_logger("amends.threads").error("thread_ended", thread=name, **of_fault(ended.exc_value))


def _unraisable(met: "sys.UnraisableHookArgs") -> None:
    if met.exc_value is not None:
        structlog.get_logger("amends.threads").error("unraisable", **of_fault(met.exc_value))
