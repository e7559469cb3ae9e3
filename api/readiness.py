"""Readiness: when reads are fresh enough to be served, and what an operator should look at."""

from typing import Final, Literal

from pydantic import BaseModel, Field

from api.problems import ProblemError
from infrastructure.vitals import Vitals

TOO_FAR_BEHIND: Final = 10_000
"""Events between the ledger and its read models beyond which reads are too old to be served."""
ABANDONED_SECONDS: Final = 30
"""How long events may wait while nobody has the right to fold them. A dead one's is taken over within ten."""
OLD_SNAPSHOT_SECONDS: Final = 60
"""Age of an open transaction from which appends become slower under load."""
LARGE_WAL_BYTES: Final = 256 * 2**20
"""Size of SQLite's log that only a reader who does not end can explain."""
Warned = Literal["parked_streams", "old_snapshot", "writes_fail"]


class RebuildView(BaseModel):
    """A read model that is made anew beside the one that is read. `share` goes from 0 to 1."""

    projection: str
    position: int
    share: float


class Ready(BaseModel):
    """The ledger can be reached, and the read models keep up. `lag` is in events, against the ledger's true head.

    `degraded` says that everything works but for what `warnings` name, and that somebody should look.
    """

    status: Literal["ready", "degraded"]
    head: int
    projected: int
    lag: int
    waiting_seconds: float = Field(description="How long the oldest event that is not projected yet has waited.")
    projector: Literal["held", "absent"] = Field(description="Whether some process has the right to project.")
    parked: int = Field(description="Streams that wait for a fix: what they say is old, everything else is not.")
    parked_in: dict[str, int] = Field(description="The same by read model.")
    rebuilding: list[RebuildView]
    oldest_snapshot_seconds: float | None = Field(description="Age of the oldest open transaction; PostgreSQL.")
    wal_bytes: int | None = Field(description="Size of the write-ahead log; SQLite.")
    warnings: list[Warned]


def readiness(found: Vitals, writes_fail: bool) -> Ready:
    """What /readyz says of these vitals, and of a writer whose pages fail or not.

    Raises `projection_behind` when reads are too old to be served.
    """
    _refuse_old_reads(found)
    return _ready(found, _warnings(found, writes_fail))


def _refuse_old_reads(found: Vitals) -> None:
    if found.lag > TOO_FAR_BEHIND:
        raise _behind("the read models are too far behind", found)
    if found.abandoned_seconds > ABANDONED_SECONDS:
        raise _behind("nobody projects: start a worker, or look why none works", found)


def _behind(why: str, found: Vitals) -> ProblemError:
    waited = round(found.waiting.total_seconds(), 3)
    return ProblemError("projection_behind", why, head=found.head, lag=found.lag, waiting_seconds=waited)


def _ready(found: Vitals, warnings: list[Warned]) -> Ready:
    return Ready(
        status="degraded" if warnings else "ready",
        head=found.head,
        projected=found.position,
        lag=found.lag,
        waiting_seconds=round(found.waiting.total_seconds(), 3),
        projector="held" if found.projector.held else "absent",
        parked=sum(found.parked.values()),
        parked_in={name: n for name, n in found.parked.items() if n},
        rebuilding=[
            RebuildView(projection=one.projection, position=one.position, share=round(one.share, 4))
            for one in found.rebuilds
        ],
        oldest_snapshot_seconds=found.oldest_snapshot_seconds,
        wal_bytes=found.wal_bytes,
        warnings=warnings,
    )


def _warnings(found: Vitals, writes_fail: bool) -> list[Warned]:
    warnings: list[Warned] = []
    if any(found.parked.values()):
        warnings.append("parked_streams")
    if (found.oldest_snapshot_seconds or 0) > OLD_SNAPSHOT_SECONDS or (found.wal_bytes or 0) > LARGE_WAL_BYTES:
        warnings.append("old_snapshot")
    if writes_fail or found.read_only:
        warnings.append("writes_fail")
    return warnings
