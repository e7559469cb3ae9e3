"""The courier: tells receivers what was recorded, in order, until each has taken it or three days have passed.

A webhook's place in the ledger is all that is kept: the ledger is the queue. What was taken is written down after
it was taken, so that a crash in between tells it twice, with the same id.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from random import SystemRandom
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.kinds import Fact
from infrastructure.bell import Bell
from infrastructure.engine import out_of_reach
from infrastructure.folding import described
from infrastructure.leases import Lease
from infrastructure.mapper import Mapper
from infrastructure.metrics import Metrics
from infrastructure.reasons import codes
from infrastructure.recorder import read_records
from infrastructure.rounds import Rounds
from infrastructure.webhooks import signing
from infrastructure.webhooks.addresses import Guard
from infrastructure.webhooks.answers import WITHIN_SECONDS, Answer
from infrastructure.webhooks.connections import Connections
from infrastructure.webhooks.endpoints import Webhook, Webhooks
from infrastructure.webhooks.messages import HEADERS, LATER, Message, Tell
from infrastructure.webhooks.progress import Progress, active_webhooks, due
from infrastructure.webhooks.schedule import asked_rest, over, rest
from infrastructure.webhooks.troubles import Troubles
from infrastructure.webhooks.turns import Turns

if TYPE_CHECKING:
    from infrastructure.webhooks.line import Line

log = structlog.get_logger(__name__)
CHANCE: Final = SystemRandom()
PAGE: Final = 100
PING_SECONDS: Final = 3.0
"""Less than a request of ours may take."""


class Courier:
    """Delivers the webhooks of one ledger. One process does, others stand by.

    Each webhook has a thread of its own while it is told something, so that none waits for another's receiver.
    """

    def __init__(
        self,
        engine: Engine,
        mapper: Mapper,
        webhooks: Webhooks,
        guard: Guard,
        tell: Tell,
        clock: Callable[[], datetime],
        *,
        every_seconds: float = 1.0,
        within_seconds: float = WITHIN_SECONDS,
        jitter: Callable[[], float] = CHANCE.random,
        metrics: Metrics | None = None,
        sent_at: Callable[[], datetime] | None = None,
        bell: Bell | None = None,
    ) -> None:
        """`sent_at` is the time that messages are signed with; the clock's, when it is None.

        The `bell` rings when something was appended: it is told at once then, and not at the next look.
        """
        self._engine, self._mapper, self._ledger = engine, mapper, mapper.ledger
        self._webhooks, self._guard, self._tell, self._clock = webhooks, guard, tell, clock
        self._within_seconds, self._jitter = within_seconds, jitter
        self._metrics, self._sent_at = metrics or Metrics(self._ledger), sent_at or clock
        self._connections, self._troubles = Connections(engine), Troubles()
        self._lease = Lease(engine, self._ledger, "webhooks", str(uuid4()), clock)
        self._holding = self._standing_by = False
        self._turns = Turns()
        self._rounds = Rounds(
            "courier", self.begin, every_seconds, failed="delivering_failed", at_once=True, bell=bell
        )

    def begin(self) -> bool:
        """Begins to tell every webhook for which something waits, and that is not being told something already.

        Gives whether what is recorded next is worth a look at once: whether somebody is told it, and by us.
        """
        now = self._clock()
        with self._engine.connect() as conn:
            active = active_webhooks(conn, self._ledger)
            waiting = due(conn, self._ledger, active, now)
        waiting = [one for one in waiting if not self._troubles.rests(one, now)]
        if waiting:
            self._holding = self._lease.hold()
            self._standing_by = not self._holding
        if self._holding:
            for one in waiting:
                self._turns.begin(one.webhook_id, partial(self._run, one))
        return bool(active) and not self._standing_by

    def run_once(self) -> None:
        """The same; returns when everybody has been told what he would take."""
        self.begin()
        self._turns.join()

    def ping(self, webhook_id: UUID, message: Message) -> Answer:
        """What this webhook's receiver answers to a message of no event, waited for less long than others.

        Raises UnknownRef, and Busy where too many try receivers out already or nobody is to wait any longer.
        """
        webhook, now = self._webhooks.found(webhook_id).webhook, self._clock()
        message_id = str(self._webhooks.new_id())
        secrets = self._webhooks.secrets(webhook, now)
        signed = signing.headers(secrets, message_id, self._sent_at(), message.body)
        within_seconds = min(PING_SECONDS, self._within_seconds)

        def tried() -> Answer:
            with self._line(webhook, within_seconds) as line:
                return line.post(HEADERS | signed, message.body)

        try:
            return self._webhooks.trials.within(within_seconds, tried)
        except TimeoutError:
            return Answer(None, "timeout")

    def start(self) -> None:
        """Starts delivering in threads of its own."""
        self._rounds.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Ends the threads; what is under way has so long to be taken, else it is told again."""
        until = monotonic() + timeout_seconds
        self._holding = False
        self._rounds.stop(timeout_seconds)
        for turn in self._turns.under_way:
            turn.join(max(0.0, until - monotonic()))
        if not self._turns.under_way:
            # In a thread that nobody waits for any longer: the database may be what does not answer.
            releasing = threading.Thread(target=self._release, name="webhook-lease", daemon=True)
            releasing.start()
            releasing.join(max(0.0, until - monotonic()))

    @property
    def _going(self) -> bool:
        return self._holding and not self._rounds.stopping

    def _release(self) -> None:
        try:
            self._lease.release()
        except SQLAlchemyError as fault:
            log.warning("lease_kept", ledger=self._ledger, fault=type(fault).__name__)

    def _line(self, webhook: Webhook, within_seconds: float) -> "Line":
        # Only who delivers needs HTTP: every verb of the command line would else start later for it.
        from infrastructure.webhooks.line import Line

        return Line(webhook.url, self._guard, within_seconds)

    def _run(self, webhook: Webhook) -> None:
        progress = Progress(self._connections, self._ledger, webhook)
        try:
            with self._line(webhook, self._within_seconds) as line:
                while self._delivered_and_due(webhook, line, progress):
                    continue
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is tried again, and nobody else waits for it
            self._failed(webhook, fault)
            now = self._clock()
            next_at = self._troubles.meet(webhook, now, self._jitter())
            if not out_of_reach(fault):
                with suppress(SQLAlchemyError):  # it rests all the same
                    progress.kept_from(now, next_at)

    def _failed(self, webhook: Webhook, fault: Exception) -> None:
        said = {"ledger": self._ledger, "webhook": str(webhook.webhook_id), "reason": "internal"}
        log.warning("delivering_failed", **said, fault=described(fault), **codes(fault))

    def _delivered_and_due(self, webhook: Webhook, line: "Line", progress: Progress) -> bool:
        """Tells what there is; gives whether it came due again meanwhile."""
        told_all = self._deliver(webhook, line, progress)
        self._troubles.forget(webhook.webhook_id)
        return told_all and self._turns.more(webhook.webhook_id)

    def _deliver(self, webhook: Webhook, line: "Line", progress: Progress) -> bool:
        """Whether it was told all there was."""
        if not self._tell_again(webhook, line, progress) or not over(webhook.next_at, self._clock()):
            return False
        while self._going:
            page = self._facts(progress.position)
            if not page:
                return True
            if not self._deliver_page(webhook, line, progress, page):
                return False
        return False

    def _tell_again(self, webhook: Webhook, line: "Line", progress: Progress) -> bool:
        """Whether to go on with what is told in order."""
        for position in progress.asked_again():
            if not self._going:
                return False
            answer, now = self._told_again(webhook, line, position), self._clock()
            unmoved = progress.told_again(position, answer, now)
            if answer.fault == "gone":
                self._gone(webhook, progress, position, answer)
            if answer.fault == "gone" or not unmoved:
                return False
            if answer.fault is not None:
                return True  # the others have their turn when what is new had its own
        return True

    def _told_again(self, webhook: Webhook, line: "Line", position: int) -> Answer:
        # What is told to nobody, or was in a ledger from before a dump was restored, is over and done with.
        try:
            for fact in self._facts(position - 1, position):
                message = self._tell(fact)
                if message is LATER:
                    return Answer(None, "newer_program_needed")
                if message is not None:
                    return self._post(webhook, line, fact, message)
        except Exception as fault:
            if out_of_reach(fault):
                raise
            self._failed(webhook, fault)
            return Answer(None, "internal")  # what comes in order need not wait for it
        return Answer(None, None)

    def _deliver_page(self, webhook: Webhook, line: "Line", progress: Progress, page: Sequence[Fact]) -> bool:
        """Whether to go on with the next page."""
        for fact in page:
            message = self._tell(fact)
            if message is LATER:
                progress.passed(fact.position - 1)
                return False
            if message is None or (webhook.types and message.type not in webhook.types):
                continue
            if not self._going:
                return False
            answer = self._post(webhook, line, fact, message)
            if answer.fault is None:
                going = progress.delivered(fact.position, self._clock())
            else:
                going = self._not_taken(webhook, progress, fact.position, answer)
            if not going:
                return False
        return progress.passed(page[-1].position)

    def _facts(self, after: int, upto: int | None = None) -> list[Fact]:
        with self._connections.reading() as conn:
            records = read_records(conn, self._ledger, after, PAGE, upto)
        return self._mapper.facts(records)

    def _post(self, webhook: Webhook, line: "Line", fact: Fact, message: Message) -> Answer:
        now = self._clock()
        secrets = self._webhooks.secrets(webhook, now)
        signed = signing.headers(secrets, str(fact.event_id), self._sent_at(), message.body)
        answer = line.post(HEADERS | signed, message.body)
        self._metrics.told("taken" if answer.fault is None else "not_taken")
        return answer

    def _not_taken(self, webhook: Webhook, progress: Progress, position: int, answer: Answer) -> bool:
        """Whether to go on with the next event."""
        if answer.fault == "gone":
            self._gone(webhook, progress, position, answer)
            return False
        now, said = self._clock(), self._said(webhook, position, answer)
        # By the world's time, as messages are signed: the receiver does not know ours.
        asked = asked_rest(answer.retry_after or "", self._sent_at())
        wait = rest(progress.failures + 1, self._jitter(), asked)
        if wait is not None:
            log.info("webhook_not_taken", **said, failures=progress.failures + 1)
            progress.failed(answer, now, now + wait)
            return False
        log.error("webhook_given_up", **said, failures=progress.failures + 1)
        self._metrics.told("given_up")
        return progress.given_up(position, answer, now)

    def _gone(self, webhook: Webhook, progress: Progress, position: int, answer: Answer) -> None:
        log.warning("webhook_gone", **self._said(webhook, position, answer))
        progress.gone(answer, self._clock())

    def _said(self, webhook: Webhook, position: int, answer: Answer) -> dict[str, Any]:
        return {
            "ledger": self._ledger,
            "webhook": str(webhook.webhook_id),
            "position": position,
            "reason": answer.fault,
            "status": answer.status,
        }
