"""One page of orders, decided under the ledger's lock: what it must load, what it appends, who gets what.

Everything here happens between locking the head and committing; nothing outside this page changes.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from domain.budgets.budget import Budget
from domain.colleagues.post import REFERENCE as COLLEAGUE
from domain.colleagues.state import Colleague
from domain.deciding import decided
from domain.dignity import named_in
from domain.errors import AmendsError, FutureEvent, StaleVersion, TooOld, UnknownRef
from domain.kinds import Aggregate, Context, Fact
from domain.milestones import Reference
from domain.moves.treatment import reports_of
from domain.publishing import Publication
from domain.relationship import Relationship
from domain.times import AHEAD
from infrastructure.aggregates import Aggregates
from infrastructure.clock import Times
from infrastructure.history import history
from infrastructure.idempotency import Idempotency
from infrastructure.orders import Answer, Order, Outcome, Receipt, ids_of
from infrastructure.probes import probe
from infrastructure.record import Record
from infrastructure.recorder import Head
from infrastructure.register import Register
from infrastructure.sealed import erase, names
from infrastructure.standards import Standards
from infrastructure.states import States, load
from infrastructure.subjects import Subjects
from infrastructure.tables import events
from infrastructure.tools import Tools
from infrastructure.work import Work

References = tuple[tuple[str, str], ...]
S = TypeVar("S", bound=Aggregate)


class Page:
    """The work of one transaction. `run` gives an outcome or an error for each order, in order."""

    def __init__(
        self,
        conn: Connection,
        tools: Tools,
        head: Head,
        at: Times,
        kept: States,
        standards: Standards,
        register: Register,
    ) -> None:
        self._conn, self._tools, self._head = conn, tools, head
        self._standards, self._register = standards, register
        self._now, self._recorded_at = at.now.astimezone(UTC), at.recorded_at
        self._past, self._future = at.now - tools.max_backdate, at.latest + AHEAD
        self.aggregates = Aggregates(conn, tools, kept)
        self.records: list[Record] = []
        self._subjects = Subjects(conn, tools)
        self._taken_ids: set[UUID] = set()
        self._named: dict[int, Fact] = {}
        self._names: dict[int, UUID | None] = {}

    @property
    def last_position(self) -> int:
        """The position of the newest event, this page's included."""
        return self._head.position + len(self.records)

    def run(self, orders: Sequence[Order]) -> list[Answer]:
        """Decides every order, and writes what follows but `records`. A refused one never takes others down."""
        self._prepare(orders)
        repeats = Idempotency(self._conn, self._tools, orders, self.aggregates.version)
        answers = [self._safely(order, repeats) for order in orders]
        self._subjects.write()
        repeats.write()
        self.aggregates.save_snapshots()
        return answers

    def rehearse(self, order: Order) -> Answer:
        """What would become of this order. Nothing is written."""
        self._prepare([order])
        try:
            state, references = self._meant(order)
            return self._accept(self._worked(self._in_his_role(order), state, references))
        except AmendsError as refusal:
            return refusal

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
        state, references = self._meant(order)
        outcome = self._accept(self._worked(self._in_his_role(order), state, references))
        repeats.remember(order, outcome)
        return outcome

    # What the page must know beforehand, in few queries.

    def _prepare(self, orders: Sequence[Order]) -> None:
        references = {order.stream for order in orders if isinstance(order.stream, Reference)}
        streams = {order.stream for order in orders if isinstance(order.stream, UUID)}
        known = self._subjects.prepare(references, streams)
        for kind, meant in self._by_kind(orders).items():
            self.aggregates.load(kind, meant & known)
        acting = {order.actor.colleague_id for order in orders if order.actor.kind == "colleague"}
        if acting:
            self.aggregates.load(Colleague, self._joined(acting))
        wanted = {order.event_id for order in orders if order.event_id is not None}
        if wanted:
            column = (events.c.event_id,)
            found = probe(self._conn, column, self._tools.ledger, column, [(one,) for one in wanted])
            self._taken_ids.update(one for (one,) in found)

    def _by_kind(self, orders: Sequence[Order]) -> dict[type[Aggregate], set[UUID]]:
        """The streams that are meant, by what they are said to hold."""
        meant: dict[type[Aggregate], set[UUID]] = {}
        for order in orders:
            stream = self._stream(order)
            if stream is not None:
                meant.setdefault(order.kind, set()).add(stream)
        return meant

    # One order.

    def _stream(self, order: Order) -> UUID | None:
        """The stream meant, if there is one."""
        return self._subjects.stream_of(order.stream) if isinstance(order.stream, Reference) else order.stream

    def _meant(self, order: Order) -> tuple[Aggregate, References]:
        """What the order is about; when that must be opened, an empty one and the reference it will have."""
        stream, kind = self._stream(order), order.kind
        if stream is None:
            if order.command is None or not order.command.OPENS:
                raise UnknownRef(kind.NAME)
            given = ((order.stream.kind, order.stream.value),) if isinstance(order.stream, Reference) else ()
            return kind.begun(self._tools.new_stream()), given
        state = self.aggregates.get(kind, stream)
        if not state.version and not self._may_begin(order):
            raise UnknownRef(kind.NAME, stream)
        return state, ()

    def _joined(self, colleagues: Iterable[UUID | None]) -> set[UUID]:
        """Those of them who ever joined."""
        named = (one for one in colleagues if one is not None)
        return {one for one in named if self._register.stream_of(self._conn, COLLEAGUE, str(one)) is not None}

    def _in_his_role(self, order: Order) -> Order:
        """The order, done in the role that its colleague has here by now, whatever was said of it."""
        if order.actor.kind != "colleague" or not (known := self._joined([order.actor.colleague_id])):
            return order
        [colleague_id] = known
        return replace(order, actor=self.aggregates.get(Colleague, colleague_id).acting(order.actor))

    def _may_begin(self, order: Order) -> bool:
        # A customer's id is given out by us: one that we never gave out is nobody's.
        return order.command is not None and order.command.OPENS and order.kind is not Relationship

    def _other(self, work: Work, kind: type[S], stream: UUID | tuple[str, str]) -> S | None:
        """Another aggregate, as this page has it, with what time obliges us to record there by now."""
        if isinstance(stream, tuple):
            found = self._register.stream_of(self._conn, *stream)
            if found is None:
                return None
            stream = found
        return work.settled(self.aggregates.get(kind, stream), self._now)

    def _worked(self, order: Order, state: Aggregate, references: References) -> Work:
        # In UTC, as it will be read back: what depends on the day must not depend on the caller's zone.
        occurred_at = self._now if order.occurred_at is None else order.occurred_at.astimezone(UTC)
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
            work.add(decided(order.command, work.state, context), self._free_id(order.event_id))
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
            house=self._standards.house(self._conn, occurred_at),
            other=partial(self._other, work),
            currencies=self._currencies,
            named=lambda position: self._named_at(position, work),
            history=lambda stream: history(self._conn, self._tools, stream, self.records),
        )

    def _currencies(self, cost_centre: str) -> frozenset[str]:
        """Those in which this cost centre ever had a budget."""
        tools = self._tools

        def read(streams: Collection[UUID]) -> Iterable[Budget]:
            return load(self._conn, tools.mapper, tools.ledger, streams, Budget, repair=tools.repair).values()

        return self._register.currencies(self._conn, cost_centre, read)

    def _named_at(self, position: int, work: Work) -> UUID | None:
        """The colleague named by the treatment event at this position, decrypted for rule I-21 alone."""
        fact = self._named.get(position) or next((f for f in work.facts if f.position == position), None)
        if fact is not None:
            return named_in(fact.event)
        if position not in self._names:
            # Whoever asks of one report of a customer mostly asks of all: together they take one question.
            told = [one for one in reports_of(work.state) if one <= self._head.position]
            self._names.update(names(self._conn, self._tools.mapper, sorted({position, *told})))
        return self._names[position]

    def _free_id(self, wanted: UUID | None) -> UUID:
        """The caller's event id when no event has it, else a new one."""
        return wanted if wanted is not None and wanted not in self._taken_ids else self._tools.new_id()

    def _accept(self, work: Work) -> Outcome:
        """Takes over the finished work of one order; until here nothing of the page had changed."""
        self._take_over(work)
        self.records += work.records
        for fact in work.facts:
            self._taken_ids.add(fact.event_id)
            if fact.event.COLLEAGUE:
                self._named[fact.position] = fact
            if gone := fact.event.forgets():
                self._forget(fact.stream_id, gone)
        if work.links or work.drawn:
            self._subjects.accept(work.links, work.drawn)
            self._register.take(work.links)
        own = work.own
        records = work.records[own]
        return Outcome(
            customer_id=work.stream,
            receipts=tuple([Receipt.of(record) for record in records]),
            position=records[-1].position if records else self.last_position,
            version=work.state.version,
            ids=ids_of([fact.event for fact in work.facts[own]]),
        )

    def _forget(self, stream: UUID, gone: Collection[int]) -> None:
        """Erases what is said to be erased: so either both are recorded or neither."""
        self._names.clear()
        erase(self._conn, self._tools.keyring, self._tools.ledger, stream, gone, self._recorded_at)
        self._subjects.forget_keys()

    def _take_over(self, work: Work) -> None:
        """Lets the orders behind it see what this one did."""
        for before, after in work.changed:
            self.aggregates.take(before, after)
            if isinstance(after, Publication):
                self._standards.take(after)
