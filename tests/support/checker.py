"""The checker: holds what a ledger shows against what its callers were told, and read models against a rebuild.

It works from outside: the HTTP API, and the rows as the database has them. Each fault is one sentence.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import zip_longest
from math import inf
from typing import Any, Final

import httpx2
import orjson
from sqlalchemy import Connection, text

from infrastructure.record import Record, leaf_hash
from projections import ALL
from tests.support.processes import eventually

PAGE: Final = 500
Rows = dict[str, list[dict[str, Any]]]
"""The rows of each table in the order of its keys."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: as a receipt promised it, or as the ledger shows it."""

    position: int
    stream: str
    version: int
    event_id: str
    topic: str
    leaf_hash: str

    @classmethod
    def of(cls, record: Record) -> "Entry":
        """As its writer would promise it."""
        stream, leaf = str(record.stream_id), leaf_hash(record.header).hex()
        return cls(record.position, stream, record.version, str(record.event_id), record.topic, leaf)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a caller was told when he posted under this key."""

    key: str
    receipts: tuple[Entry, ...]
    began: float = -inf
    """When he asked first."""
    ended: float = inf
    """When he had the answer."""


# What was told against what there is.


def faults(ledger: Sequence[Entry], told: Sequence[Acknowledged], head: int) -> list[str]:
    """Everything wrong with a ledger all of whose events were acknowledged to somebody; empty when it is sound."""
    return [
        *disorder(ledger, head),
        *_broken_promises(ledger, told),
        *_unequal_answers(told),
        *_unclaimed(ledger, told),
        *_out_of_time(told),
    ]


def disorder(ledger: Sequence[Entry], head: int) -> list[str]:
    """What is wrong with a ledger in itself, whoever was told what."""
    return [*_gaps(ledger, head), *_version_gaps(ledger), *_doubled(ledger)]


def _gaps(ledger: Sequence[Entry], head: int) -> Iterator[str]:
    if len(ledger) != head:
        yield f"the head stands at {head}, and there are {len(ledger)} events"
    for expected, entry in enumerate(ledger, start=1):
        if entry.position != expected:
            yield f"position {entry.position} stands where {expected} belongs"
            return


def _version_gaps(ledger: Sequence[Entry]) -> Iterator[str]:
    versions: dict[str, list[int]] = defaultdict(list)
    for entry in ledger:
        versions[entry.stream].append(entry.version)
    for stream, found in versions.items():
        if found != list(range(1, len(found) + 1)):
            yield f"the versions of {stream} are {found}"


def _doubled(ledger: Sequence[Entry]) -> Iterator[str]:
    for event_id, times in Counter(entry.event_id for entry in ledger).items():
        if times > 1:
            yield f"event {event_id} is there {times} times"


def _broken_promises(ledger: Sequence[Entry], told: Sequence[Acknowledged]) -> Iterator[str]:
    found = {entry.event_id: entry for entry in ledger}
    for answer in told:
        for receipt in answer.receipts:
            entry = found.get(receipt.event_id)
            if entry is None:
                yield f"{answer.key} was acknowledged, and event {receipt.event_id} is lost"
            elif entry != receipt:
                yield f"{answer.key} was told {receipt}, and there is {entry}"


def _unequal_answers(told: Sequence[Acknowledged]) -> Iterator[str]:
    first: dict[str, tuple[Entry, ...]] = {}
    for answer in told:
        if first.setdefault(answer.key, answer.receipts) != answer.receipts:
            yield f"{answer.key} got two answers: {first[answer.key]} and {answer.receipts}"


def _unclaimed(ledger: Sequence[Entry], told: Sequence[Acknowledged]) -> Iterator[str]:
    claims: dict[str, set[str]] = defaultdict(set)
    for answer in told:
        for receipt in answer.receipts:
            claims[receipt.event_id].add(answer.key)
    for entry in ledger:
        if entry.event_id not in claims:
            yield f"nobody was told of {entry}: something was recorded twice"
    for event_id, keys in claims.items():
        if len(keys) > 1:
            yield f"event {event_id} answers several keys: {sorted(keys)}"


def _out_of_time(told: Sequence[Acknowledged]) -> Iterator[str]:
    """Events that stand before others which had been acknowledged before anybody asked for them."""
    spans = sorted(_spans(told), key=lambda one: one.began)
    by_end = sorted(spans, key=lambda one: one.ended)
    ended, last = 0, None
    for one in spans:
        while by_end[ended].ended < one.began:
            before = by_end[ended]
            last = before if last is None or _last(before) > _last(last) else last
            ended += 1
        if last is not None and one.receipts[0].position < _last(last):
            yield f"{one.key} was asked for when {last.key} had its answer, and stands before it"


def _spans(told: Sequence[Acknowledged]) -> Iterator[Acknowledged]:
    """Each key once, from when it was first asked for until it was first answered: in between it was recorded."""
    found: dict[str, Acknowledged] = {}
    for one in told:
        if one.receipts:
            known = found.setdefault(one.key, one)
            began, ended = min(known.began, one.began), min(known.ended, one.ended)
            found[one.key] = replace(known, began=began, ended=ended)
    yield from found.values()


def _last(answer: Acknowledged) -> int:
    return answer.receipts[-1].position


# What there is, read in two ways.


def over_http(http: httpx2.Client) -> tuple[list[Entry], int]:
    """Every event as GET /v1/events shows it, and the head. Leaf hashes are not shown there: they are empty."""
    entries: list[Entry] = []
    while True:
        page, head = page_over_http(http, len(entries))
        entries += page
        if len(page) < PAGE:
            return entries, head


def page_over_http(http: httpx2.Client, after: int) -> tuple[list[Entry], int]:
    """The events after a position as GET /v1/events shows them, at most a page, and the head."""
    answer = _answered(http, {"after": after, "limit": PAGE})
    return [_shown(event) for event in answer.json()["data"]], int(answer.headers["Amends-Position"])


def _answered(http: httpx2.Client, query: Mapping[str, int]) -> httpx2.Response:
    """The answer to GET /v1/events; who is told to come again does so, and soon."""
    answers: list[httpx2.Response] = []

    def taken() -> bool:
        answers.append(http.get("/v1/events", params=dict(query)))
        return answers[-1].status_code != 503

    eventually(taken, "the events can be read")
    return answers[-1].raise_for_status()


def _shown(event: Mapping[str, Any]) -> Entry:
    topic = _topic(event["type"])
    return Entry(int(event["sequence"]), event["subject"], event["streamversion"], event["id"], topic, "")


def in_headers(conn: Connection, ledger: str = "main", after: int = 0) -> list[Entry]:
    """Every event after this position as its stored header says, which is what the leaf hash is made of."""
    query = text("SELECT header FROM events WHERE ledger = :ledger AND position > :after ORDER BY position")
    return [_headed(header) for [header] in conn.execute(query, {"ledger": ledger, "after": after})]


def _headed(header: bytes) -> Entry:
    said = orjson.loads(header)
    leaf = sha256(b"\x00" + header).hexdigest()
    return Entry(said["pos"], said["stream"], said["ver"], said["id"], _topic(said["type"]), leaf)


def _topic(event_type: str) -> str:
    return event_type.removeprefix("amends.").removesuffix(".v1")


def by_duty(conn: Connection, ledger: str = "main") -> list[Acknowledged]:
    """What the program's own duties recorded, under the keys that they gave it."""
    query = text("SELECT key, position, n FROM commands WHERE ledger = :ledger AND source = 'amends:duties'")
    entries = in_headers(conn, ledger)
    rows = conn.execute(query, {"ledger": ledger})
    return [Acknowledged(row.key, tuple(entries[row.position - 1 :][: row.n])) for row in rows]


def left_to_learn(conn: Connection, ledger: str = "main") -> int:
    """How many signs the duties that look at everybody have not counted yet, of those that are read.

    Customers whose signs are set apart count too, whether they have any or not.
    """
    query = """
        SELECT (SELECT count(*) FROM tracking WHERE ledger = :ledger AND name LIKE 'learning:a%') + count(*)
        FROM signs JOIN generations ON generations.ledger = signs.ledger
            AND generations.name = 'signs' AND generations.live = signs.generation
        WHERE signs.ledger = :ledger AND signs.counts AND signs.position > COALESCE(
            (SELECT position FROM tracking WHERE ledger = :ledger AND name = 'learning'), 0)
    """
    return int(conn.execute(text(query), {"ledger": ledger}).scalar_one())


def disagreements(shown: Iterable[Entry], stored: Iterable[Entry]) -> list[str]:
    """Where the API shows something else than the headers say."""
    return [
        f"the API shows {one}, the header says {other}"
        for one, other in zip_longest(shown, stored)
        if one is None or other is None or one != replace(other, leaf_hash="")
    ]


# Read models.


def live_rows(conn: Connection, ledger: str = "main") -> Rows:
    """Every row of every live read model, as the database has it, without the number of its generation."""
    return {
        table.name: [
            _without_generation(row) for row in conn.execute(_all_of(table, one.name), {"ledger": ledger})
        ]
        for one in ALL
        for table in one.tables
    }


def _all_of(table: Any, projection: str) -> Any:
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
    live = f"SELECT live FROM generations WHERE ledger = :ledger AND name = '{projection}'"
    return text(f'SELECT * FROM "{table.name}" WHERE ledger = :ledger AND generation = ({live}) ORDER BY {keys}')


def _without_generation(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name != "generation"}


def generations(conn: Connection, ledger: str = "main") -> dict[str, int]:
    """The number of each read model's live generation."""
    query = text("SELECT name, live FROM generations WHERE ledger = :ledger")
    return {row.name: row.live for row in conn.execute(query, {"ledger": ledger})}


def parked(conn: Connection) -> list[str]:
    """The streams that some read model could not fold."""
    return [f"{row.projection} is stuck: {row.error}" for row in conn.execute(text("SELECT * FROM parked"))]


def differences(live: Rows, rebuilt: Rows) -> list[str]:
    """Where read models kept up event by event are not what a clean rebuild gives."""
    found = [f"only one of them has the table {name}" for name in live.keys() ^ rebuilt.keys()]
    for name in live.keys() & rebuilt.keys():
        for kept, made in zip_longest(live[name], rebuilt[name]):
            if kept != made:
                found.append(f"{name}: live has {kept}, a rebuild {made}")
    return found


def rolled_back_inserts(conn: Connection) -> int:
    """How many events PostgreSQL took in and threw away again. Asked when no writer is connected any more."""
    query = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'events'"
    taken: int = conn.execute(text(query)).scalar_one()
    kept: int = conn.execute(text("SELECT count(*) FROM events")).scalar_one()
    return taken - kept
