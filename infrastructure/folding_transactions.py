"""The transactions of folding: one that only reads, and one whose commit nobody waits for."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from infrastructure.rows import let_go
from infrastructure.statements import BY_KEY


def leave_to_later(conn: Connection) -> None:
    """On PostgreSQL: this commit is not waited for until it is on the disk.

    What a crash takes of it, it takes whole: rows, parked streams and checkpoints are of one transaction, and
    whatever was committed after it goes with it, since all of it stands in one log. The events are there: their
    own commits were waited for. So the same page is folded again, and gives the same. Who remembers rows of the
    time before finds the checkpoint elsewhere, and forgets them, or where it was, with the same rows but for
    parked streams, which nobody remembers. Whoever had read that far sees the position go back until then.
    Building a read model anew and releasing a stream wait as usual.
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SET LOCAL synchronous_commit = off; {BY_KEY}")


@contextmanager
def only_reading(conn: Connection) -> Iterator[None]:
    """A transaction that ends in a rollback, which on PostgreSQL finds nothing left to do."""
    with conn.begin() as reading:
        yield
        let_go(conn)
        reading.rollback()
