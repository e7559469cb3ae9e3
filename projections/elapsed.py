"""Elapsed: whether so much time passed between two moments, asked inside the database."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, DateTime, Interval, literal, type_coerce

from projections.base import Source

_MICROSECOND: Final = timedelta(microseconds=1)


def within(
    source: Source, earlier: ColumnElement[Any], later: ColumnElement[Any], span: timedelta
) -> ColumnElement[bool]:
    """Whether `later` came no more than `span` after `earlier`; true too where it came before."""
    if source.conn.dialect.name == "sqlite":
        # There a moment is a whole number of microseconds.
        whole = type_coerce(later, BigInteger) - type_coerce(earlier, BigInteger)
        return whole <= span // _MICROSECOND
    moment = DateTime(timezone=True)
    return type_coerce(later, moment) <= type_coerce(earlier, moment) + literal(span, Interval())
