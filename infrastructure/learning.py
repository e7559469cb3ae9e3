"""The learner: looks at what was recorded about everybody, and posts what the house should learn from it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol
from uuid import UUID

import structlog
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from domain.counting import BEGUN, Tally
from domain.duties.learning import Ask
from domain.errors import Refused
from domain.kinds import AMENDS
from infrastructure.engine import writing
from infrastructure.metrics import Metrics
from infrastructure.orders import DUTIES_SOURCE, Order, Outcome
from infrastructure.passing import Part, Progress, caught_up, moved, progress, put_next, set_apart, set_back
from infrastructure.rounds import Rounds
from infrastructure.rows import looking, write_rows
from infrastructure.sweeper import ANSWER_WITHIN_SECONDS
from infrastructure.tables import tallies

log = structlog.get_logger(__name__)
AT_ONCE: Final = 100
"""So many signs are counted before what follows from them is posted."""
FEWEST: Final = 3
"""Two may stand at one position, which are counted together: with fewer at once nobody would get past them."""
_TALLY: Final = TypeAdapter(Tally)
Fingerprint = Callable[[bytes], bytes]


class Seen(NamedTuple):
    """What a look found: how far it saw, how many signs, what follows, and whether there is more to see.

    `stuck` are those whose signs must be set apart first, and after which position: of one customer's, that he is
    to wait again. `free` are those set apart before whose signs can be read again.
    """

    upto: int
    signs: int
    asks: Sequence[Ask]
    more: bool
    stuck: Mapping[UUID, int] = MappingProxyType({})
    free: Collection[UUID] = ()


class Look(Protocol):
    """Looks at the signs of this part and counts them."""

    def __call__(self, conn: Connection, part: Part, tallies: "Tallies") -> Seen: ...


class Learner:
    """Posts what follows when things happen again and again (D8, D9, D10).

    It needs no lease: an order is known by its trigger, so that two post it once; and who comes second with his
    counts leaves them.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: str,
        look: Look,
        submit: Callable[[Order], "Future[Outcome]"],
        fingerprint: Fingerprint,
        clock: Callable[[], datetime],
        *,
        every_seconds: float = 2.0,
        at_once: int = AT_ONCE,
        metrics: Metrics | None = None,
    ) -> None:
        self._engine, self._ledger, self._look = engine, ledger, look
        self._submit, self._fingerprint, self._clock = submit, fingerprint, clock
        self._at_once = max(at_once, FEWEST)
        self._metrics = metrics or Metrics(ledger)
        self._rounds = Rounds("learner", self.run_once, every_seconds, failed="learning_failed")

    def run_once(self) -> int:
        """Counts what was recorded since, and posts what follows. Gives how much of that was new.

        Raises whatever is no rule's word; what was not finished is left to the next time.
        """
        said = 0
        while not self._rounds.stopping:
            new, more = self._once()
            said += new
            if not more:
                break
        self._metrics.looked(self._clock())
        return said

    def start(self) -> None:
        """Starts looking in a thread of its own."""
        self._metrics.looked(self._clock())
        self._rounds.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Ends the thread; what it is posting is finished first."""
        self._rounds.stop(timeout_seconds)

    def _once(self) -> tuple[int, bool]:
        """(How many orders were new, whether there is more to see)."""
        with looking(self._engine) as conn:
            at = progress(conn, self._ledger)
            counts, part = Tallies(conn, self._ledger), at.next(self._at_once)
            found = self._look(conn, part, counts)
        if part.of in found.stuck:
            set_back(self._engine, self._ledger, part)
            return 0, found.more
        if found.stuck:
            if not set_apart(self._engine, self._ledger, at.reached, found.stuck):
                return 0, True  # somebody else did so just now: look again
            at = at.begun()
        said = self._post([ask for ask in found.asks if ask.trigger.position > at.silent])
        # Nothing is written while there is nothing to count: to look again from the same place costs no more.
        if (found.signs or part.of) and not self._keep(at, part, found, counts):
            return said, False  # somebody else has counted these
        more = found.more or part.of is not None
        # Only here, where nothing waits that was posted and not counted: from now on theirs come first.
        return said, more or (bool(found.free) and put_next(self._engine, self._ledger, found.free))

    def _post(self, asks: Sequence[Ask]) -> int:
        waiting = [(ask, self._submit(self._order(ask))) for ask in asks]
        said, faults = 0, []
        for ask, future in waiting:
            try:
                said += self._answered(ask, future)
            except Exception as fault:  # noqa: BLE001 - raised below, once the others have their answers
                faults.append(fault)
        if faults:
            # What was recorded is known by its key: to post all of it again records nothing twice.
            raise faults[0]
        return said

    def _order(self, ask: Ask) -> Order:
        content = f"{ask.command.PATH}:{ask.stream}:{ask.command.model_dump_json()}".encode()
        return Order(
            command=ask.command,
            stream=ask.stream,
            actor=AMENDS,
            source=DUTIES_SOURCE,
            occurred_at=ask.trigger.occurred_at,
            key=ask.key,
            fingerprint=self._fingerprint(content),
            causation_id=ask.trigger.event_id,
        )

    def _answered(self, ask: Ask, future: "Future[Outcome]") -> bool:
        """Whether this was new. Raises whatever is no rule's word: the next time it may be otherwise."""
        try:
            outcome = future.result(ANSWER_WITHIN_SECONDS)
        except Refused as refusal:
            # A rule says no, and will say so again: somebody left meanwhile, or was forgotten.
            log.info("duty_refused", ledger=self._ledger, duty=ask.duty, step=ask.step, code=refusal.code)
            self._metrics.asked("refused")
            return False
        except Exception as fault:
            log.error("duty_failed", ledger=self._ledger, duty=ask.duty, step=ask.step, fault=type(fault).__name__)
            self._metrics.asked("failed")
            raise
        new = bool(outcome.receipts) and not outcome.replayed
        self._metrics.asked("recorded" if new else "repeated")
        return new

    def _keep(self, before: Progress, part: Part, found: Seen, counts: "Tallies") -> bool:
        """Stores the counts and how far they go; False when somebody else has done so since `before`."""
        try:
            with writing(self._engine) as conn:
                if not self._moved(conn, before, part, found):
                    return False
                write_rows(conn, tallies, counts.rows())
        except IntegrityError:
            return False
        return True

    def _moved(self, conn: Connection, before: Progress, part: Part, found: Seen) -> bool:
        if part.of is not None:
            return caught_up(conn, self._ledger, part, found.upto, more=found.more)
        return moved(conn, self._ledger, before.reached, found.upto)


class Tallies:
    """The counts of one ledger as they were stored, and what has been counted since."""

    def __init__(self, conn: Connection, ledger: str) -> None:
        self._conn, self._ledger = conn, ledger
        self._known: dict[tuple[str, str], Tally] = {}
        self._changed: set[tuple[str, str]] = set()

    def get(self, duty: str, about: str) -> Tally:
        """How far this count has come."""
        if (duty, about) not in self._known:
            mine = (tallies.c.ledger == self._ledger, tallies.c.duty == duty, tallies.c.about == about)
            told = self._conn.execute(select(tallies.c.tally).where(*mine)).scalar()
            self._known[duty, about] = BEGUN if told is None else _TALLY.validate_json(told)
        return self._known[duty, about]

    def put(self, duty: str, about: str, tally: Tally) -> None:
        """Goes by this one from now on."""
        if tally is not self.get(duty, about):
            self._known[duty, about] = tally
            self._changed.add((duty, about))

    def rows(self) -> list[dict[str, str]]:
        """Those that have changed, in the order of their keys."""
        return [
            {
                "ledger": self._ledger,
                "duty": duty,
                "about": about,
                "tally": _TALLY.dump_json(self._known[duty, about]).decode(),
            }
            for duty, about in sorted(self._changed)
        ]
