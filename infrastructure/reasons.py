"""Reasons: why a database would not, in its own code or one line of its own words, without any value bound."""

from typing import Any, Final

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

_NO_RIGHTS_OR_PLACE: Final = ("25006", "42501", "3F000")
"""The SQLSTATEs of a server that takes no writes, of a role without the right, and of one without a schema."""
_NO_DATABASE: Final = ("SQLITE_NOTADB", "SQLITE_CORRUPT")


def codes(fault: BaseException) -> dict[str, str]:
    """The database's own code for this fault, for a log line: none where it gave none."""
    told = {"sqlstate": _told(fault, "sqlstate"), "sqlite_error": _told(fault, "sqlite_errorname")}
    return {name: code for name, code in told.items() if code is not None}


def connection_had_ended(fault: DBAPIError) -> bool:
    """Whether the connection is no more, as PostgreSQL or the driver says."""
    code = _told(fault, "sqlstate")
    ended = code is None or code.startswith(("08", "57P"))
    return ended and isinstance(fault.orig, psycopg.OperationalError)


def hindrance(fault: DBAPIError) -> str | None:
    """In one line why nothing can be done with the database as it is; None for a fault of ours.

    The driver's further lines are left out: they may quote rows.
    """
    words = (str(fault.orig).splitlines() or [type(fault).__name__])[0]
    if isinstance(fault, OperationalError | InterfaceError):
        return f"unavailable: the database cannot be reached: {words}"
    if _told(fault, "sqlstate") in _NO_RIGHTS_OR_PLACE or _told(fault, "sqlite_errorname") in _NO_DATABASE:
        return f"unavailable: the database refuses: {words}"
    # Before anything was asked: the driver does not know what stands in the address.
    if fault.statement is None and _told(fault, "sqlstate") is None:
        return f"invalid_value: AMENDS_DATABASE_URL: {words}"
    return None


def _told(fault: BaseException, name: str) -> str | None:
    code: Any = getattr(getattr(fault, "orig", fault), name, None)
    return None if code is None else str(code)
