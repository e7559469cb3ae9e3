"""The learner: looks at what was recorded about everybody, and posts what the house should learn from it."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import structlog
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from domain.counting import BEGUN, Tally
from domain.duties.learning import Ask
from domain.errors import Refused
from domain.kinds import AMENDS
from infrastructure.engine import writing
from infrastructure.metrics import Metrics
from infrastructure.orders import Order, Outcome
from infrastructure.rounds import Rounds
from infrastructure.rows import looking, write_rows
from infrastructure.sweeper import ANSWER_WITHIN_SECONDS, SOURCE
from infrastructure.tables import tallies, tracking

log = structlog.get_logger(__name__)
REACHED: Final = "learning"
"""The name under which it is kept how far everything was counted."""
SILENT: Final = "learning:silent"
"""How far the ledger had come before anybody counted: what happened up to there asks for nothing any more."""
AT_ONCE: Final = 100
"""So many signs are counted before what follows from them is posted."""
FEWEST: Final = 3
"""Two may stand at one position, which are counted together: with fewer at once nobody would get past them."""
_TALLY: Final = TypeAdapter(Tally)
Fingerprint = Callable[[bytes], bytes]


class Seen(NamedTuple):
    """What a look found: how far it saw, how many signs, what follows, and whether there is more to see."""

    upto: int
    signs: int
    asks: Sequence[Ask]
    more: bool


class Look(Protocol):
    """Looks at the next signs after a position, at most so many, and counts them."""

    def __call__(self, conn: Connection, after: int, limit: int, tallies: "Tallies") -> Seen: ...


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
            at = self._positions(conn)
            counts = Tallies(conn, self._ledger)
            found = self._look(conn, at.get(REACHED, 0), self._at_once, counts)
        silent = at.get(SILENT, 0)
        said = self._post([ask for ask in found.asks if ask.trigger.position > silent])
        # Nothing is written while there is nothing to count: to look again from the same place costs no more.
        if found.signs and not self._keep(at.get(REACHED), found.upto, counts):
            return said, False  # somebody else has counted these
        return said, found.more

    def _positions(self, conn: Connection) -> dict[str, int]:
        query = select(tracking.c.name, tracking.c.position).where(tracking.c.ledger == self._ledger)
        return {
            row.name: row.position for row in conn.execute(query.where(tracking.c.name.in_((REACHED, SILENT))))
        }

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
            source=SOURCE,
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

    def _keep(self, before: int | None, upto: int, counts: "Tallies") -> bool:
        """Stores the counts and how far they go; False when somebody else has done so since `before`."""
        try:
            with writing(self._engine) as conn:
                if not self._moved(conn, before, upto):
                    return False
                write_rows(conn, tallies, counts.rows())
        except IntegrityError:
            return False
        return True

    def _moved(self, conn: Connection, before: int | None, upto: int) -> bool:
        if before is None:
            conn.execute(insert(tracking).values(ledger=self._ledger, name=REACHED, position=upto))
            return True
        mine = (tracking.c.ledger == self._ledger, tracking.c.name == REACHED, tracking.c.position == before)
        return conn.execute(update(tracking).where(*mine).values(position=upto)).rowcount == 1


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
