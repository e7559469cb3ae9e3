"""History: all that is recorded in one stream, for decisions that tell of it."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, select

from domain.kinds import Fact
from infrastructure.record import Record
from infrastructure.recorder import to_record
from infrastructure.tables import events
from infrastructure.tools import Tools


def history(conn: Connection, tools: Tools, stream: UUID, pending: Iterable[Record]) -> tuple[Fact, ...]:
    """The facts of a stream in order, also those of the page that are not written yet; personal parts withheld.

    Raises NewerProgramNeeded where a newer Amends wrote one.
    """
    query = select(events).where(events.c.ledger == tools.ledger, events.c.stream_id == stream)
    stored = [to_record(row) for row in conn.execute(query.order_by(events.c.version))]
    told = [*stored, *(record for record in pending if record.stream_id == stream)]
    return tuple(tools.mapper.known(record) for record in told)
