"""Log lines: one JSON object each, with codes, ids and numbers; never a customer's words."""

import logging
import sys

import structlog


def set_up_logs(level: str) -> None:
    """Sends every log line of the process to standard error as JSON."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries log through the standard module; their words may quote values, so only their names go on.
    logging.basicConfig(level=logging.WARNING, handlers=[_NamesOnly()], force=True)


class _NamesOnly(logging.Handler):
    """Passes on that a library warned, and which, without its words."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger(record.name).warning("library_log", level_name=record.levelname, line=record.lineno)
