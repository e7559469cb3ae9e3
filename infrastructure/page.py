"""One page of orders, decided under the ledger's lock: what it must load, what it appends, who gets what.

Everything here happens between locking the head and committing; nothing outside this page changes.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import FutureEvent, NewerProgramNeeded, StaleVersion, TooOld, UnknownRef
from domain.kinds import Context, Fact
from domain.milestones import Reference
from domain.relationship import Relationship
from infrastructure.clock import Times
from infrastructure.idempotency import Idempotency
from infrastructure.orders import Answer, Order, Outcome, Receipt, ids_of
from infrastructure.probes import probe
from infrastructure.record import Record
from infrastructure.recorder import Head, to_record
from infrastructure.states import States, load, save_snapshots, snapshot_due
from infrastructure.subjects import Subjects
from infrastructure.tables import events
from infrastructure.tools import Tools
from infrastructure.work import Work

AHEAD: Final = timedelta(minutes=5)
"""How far a caller's clock may run before ours. Source: domain.md section 0."""
References = tuple[tuple[str, str], ...]


class Page:
    """The work of one transaction. `run` gives an outcome or an error for each order, in order."""

    def __init__(self, conn: Connection, tools: Tools, head: Head, at: Times, kept: States) -> None:
        self._conn, self._tools, self._head, self._kept = conn, tools, head, kept
        self._now, self._recorded_at = at.now, at.recorded_at
        self._past, self._future = at.now - tools.max_backdate, at.latest + AHEAD
        self.states: dict[UUID, Relationship] = {}
        self.records: list[Record] = []
        self._subjects = Subjects(conn, tools)
        self._taken_ids: set[UUID] = set()
        self._named: dict[int, Fact] = {}
        self._versions: dict[UUID, int] = {}

    @property
    def last_position(self) -> int:
        """The position of the newest event, this page's included."""
        return self._head.position + len(self.records)

    def run(self, orders: Sequence[Order]) -> list[Answer]:
        """Decides every order, and writes what follows but `records`. A refused one never takes others down."""
        self._prepare(orders)
        repeats = Idempotency(self._conn, self._tools, orders, lambda stream: self._state(stream).version)
        answers = [self._safely(order, repeats) for order in orders]
        self._subjects.write()
        repeats.write()
        self._save_snapshots()
        return answers

    def _safely(self, order: Order, repeats: Idempotency) -> Answer:
        try:
            return self._answer(order, repeats)
        except SQLAlchemyError:
            raise  # the transaction is gone, and the page with it
        except Exception as fault:  # noqa: BLE001 - one order's fault, foreseen or not, is that order's answer
            return fault

    def _answer(self, order: Order, repeats: Idempotency) -> Outcome:
        answered = repeats.answer(order)
        if answered is not None:
            return answered
        state, references = self._customer(order)
        outcome = self._accept(self._worked(order, state, references))
        repeats.remember(order, outcome)
        return outcome

    # What the page must know beforehand, in few queries.

    def _prepare(self, orders: Sequence[Order]) -> None:
        references = {order.customer for order in orders if isinstance(order.customer, Reference)}
        streams = {order.customer for order in orders if isinstance(order.customer, UUID)}
        self._load(self._subjects.prepare(references, streams))
        wanted = {order.event_id for order in orders if order.event_id is not None}
        if wanted:
            column = (events.c.event_id,)
            found = probe(self._conn, column, self._tools.ledger, column, [(one,) for one in wanted])
            self._taken_ids.update(one for (one,) in found)

    def _load(self, streams: Iterable[UUID]) -> None:
        cold = []
        for stream in streams:
            state = self._kept.get(stream)
            if state is None:
                cold.append(stream)
            else:
                self.states[stream] = state
        if cold:
            self.states |= load(self._conn, self._tools.mapper, self._tools.ledger, cold)

    # One order.

    def _customer(self, order: Order) -> tuple[Relationship, References]:
        """The relationship meant; when it must be opened, an empty one and the reference it will have."""
        if isinstance(order.customer, UUID):
            state = self._state(order.customer)
            if not state.version:
                raise UnknownRef("customer", order.customer)
            return state, ()
        stream = None if order.customer is None else self._subjects.stream_of(order.customer)
        if stream is not None:
            return self._state(stream), ()
        if order.command is None or not order.command.OPENS:
            raise UnknownRef("customer")
        given = () if order.customer is None else ((order.customer.kind, order.customer.value),)
        return Relationship(self._tools.new_stream()), given

    def _state(self, stream: UUID) -> Relationship:
        """The relationship as this page has it. Raises NewerProgramNeeded where only a newer program can tell."""
        try:
            return self.states[stream]
        except KeyError:
            raise NewerProgramNeeded from None

    def _worked(self, order: Order, state: Relationship, references: References) -> Work:
        # In UTC, as it will be read back: what depends on the day must not depend on the caller's zone.
        occurred_at = (order.occurred_at or self._now).astimezone(UTC)
        self._check_time(order, occurred_at)
        if order.if_match is not None and order.if_match != state.version:
            raise StaleVersion(state.version)
        work = Work(
            self._tools,
            self._subjects,
            order,
            state,
            after=self.last_position,
            occurred_at=occurred_at,
            recorded_at=self._recorded_at,
        )
        work.settle(min(occurred_at, self._now))
        if order.command is not None:
            context = self._context(order, occurred_at, references, work)
            work.add(order.command.decide(work.state, context), self._free_id(order.event_id))
        return work

    def _check_time(self, order: Order, occurred_at: datetime) -> None:
        if occurred_at > self._future:
            raise FutureEvent(occurred_at.isoformat(), self._now.isoformat())
        if occurred_at < self._past and not order.importing:
            raise TooOld(occurred_at.isoformat(), self._tools.max_backdate.days)

    def _context(self, order: Order, occurred_at: datetime, references: References, work: Work) -> Context:
        return Context(
            occurred_at=occurred_at,
            recorded_at=self._recorded_at,
            actor=order.actor,
            new_id=self._tools.new_id,
            pseudonym=self._tools.keyring.pseudonym,
            importing=order.importing,
            time_known=order.time_known,
            references=references,
            named=lambda position: self._named_at(position, work),
        )

    def _named_at(self, position: int, work: Work) -> UUID | None:
        """The colleague named by the treatment event at this position, decrypted for rule I-21 alone."""
        fact = self._named.get(position) or next((f for f in work.facts if f.position == position), None)
        if fact is None:
            query = select(events).where(events.c.ledger == self._tools.ledger, events.c.position == position)
            record = to_record(self._conn.execute(query).one())
            [fact] = self._tools.mapper.facts([record], self._conn)
        named = getattr(fact.event, "by_colleague", None)
        return named if isinstance(named, UUID) else None

    def _free_id(self, wanted: UUID | None) -> UUID:
        """The caller's event id when no event has it, else a new one."""
        return wanted if wanted is not None and wanted not in self._taken_ids else self._tools.new_id()

    def _accept(self, work: Work) -> Outcome:
        """Takes over the finished work of one order; until here nothing of the page had changed."""
        self._versions.setdefault(work.stream, work.start.version)
        self.states[work.stream] = work.state
        self.records += work.records
        for fact in work.facts:
            self._taken_ids.add(fact.event_id)
            if fact.event.COLLEAGUE:
                self._named[fact.position] = fact
        if work.links or work.drawn:
            self._subjects.accept(work.stream, work.links, work.drawn)
        own = work.records[work.own]
        return Outcome(
            customer_id=work.stream,
            receipts=tuple([Receipt.of(record) for record in own]),
            position=own[-1].position if own else self.last_position,
            version=work.state.version,
            ids=ids_of([fact.event for fact in work.facts[work.own]]),
        )

    def _save_snapshots(self) -> None:
        grown = [
            self.states[stream]
            for stream, before in self._versions.items()
            if snapshot_due(before, self.states[stream].version)
        ]
        save_snapshots(self._conn, self._tools.ledger, grown)
