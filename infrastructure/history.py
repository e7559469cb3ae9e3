"""History: all that is recorded in one stream, for decisions that tell of it."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, select

from domain.kinds import Fact
from infrastructure.record import Record
from infrastructure.recorder import to_record
from infrastructure.tables import events
from infrastructure.tools import Tools

MOST: Final = 500
"""So many facts are read at most, since everybody waits meanwhile."""


def history(conn: Connection, tools: Tools, stream: UUID, pending: Iterable[Record]) -> tuple[Fact, ...]:
    """The last facts of a stream in order, those of the page not written yet among them; personal parts withheld.

    Raises NewerProgramNeeded where a newer Amends wrote one.
    """
    query = select(events).where(events.c.ledger == tools.ledger, events.c.stream_id == stream)
    newest = [to_record(row) for row in conn.execute(query.order_by(events.c.version.desc()).limit(MOST))]
    told = [*reversed(newest), *(record for record in pending if record.stream_id == stream)]
    return tuple(tools.mapper.known(record) for record in told)
