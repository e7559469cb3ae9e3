"""Learning: what is asked for when things happen again and again, looking at everybody (D8, D9, D10).

Each order follows from one sign, the trigger that completes a count, and from what the ledger held up to there:
when it happened, what it asks for, and its key. So the same ledger gives the same orders, in whatever steps
somebody looks at it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from domain.colleagues.asking import ANSWER_WITHIN, AskForHelp, HelpKind
from domain.colleagues.needs import ENOUGH as MISSING
from domain.counting import Enough, Met, Tally, counted
from domain.duties.case_studies import worth_reading
from domain.duties.signs import Sign
from domain.kinds import Command
from domain.lessons.commands import DraftLesson
from domain.lessons.lesson import FromRecovery
from domain.values import CustomerId, RecoveryId, unchanging

REVIEW_WITHIN: Final = timedelta(days=14)
"""So soon its owner looks at a rule that stands in the way. Source: domain.md section 4."""
A_MONTH: Final = timedelta(days=30)
BLOCKS: Final = Enough(times=5, rest=REVIEW_WITHIN)
"""Blocks of one rule until its owner looks at it; none is counted while he is asked to. Source: D10."""
SIMILAR: Final = Enough(times=3, within=A_MONTH, rest=A_MONTH)
"""Similar failures until the house should learn from them; at most one lesson a month. Source: D8."""
LATE: Final = A_MONTH
"""What we heard of so long after it happened is history: nobody is asked to write it up."""
AGAIN: Final = "The same thing went wrong three times within 30 days"
QUESTIONS: Final = (
    "The same failure was reported three times within 30 days; the topic of this lesson says which. "
    "To talk about: what do these cases have in common, and what would have spared the third customer this?"
)


class Known(Protocol):
    """What the ledger held of others, up to a sign."""

    def team(self, sign: Sign) -> str | None:
        """The team of whoever met the obstacle, else the one that had the case."""

    def asker(self, sign: Sign, team: str) -> UUID | None:
        """Who asks for the team: its manager, else whoever met the obstacle; None where nobody is known."""

    def owner(self, sign: Sign) -> UUID | None:
        """Who is asked to look at the rule that blocked; None where nobody is known."""

    def of_recovery(self, sign: Sign) -> list[Sign]:
        """All signs of its recovery up to this one, in the order of the ledger."""

    def shown_before(self, sign: Sign) -> int:
        """The score of its customer before this sign."""


class Tallies(Protocol):
    """How far each count has come, by duty and by what is counted."""

    def get(self, duty: str, about: str) -> Tally: ...
    def put(self, duty: str, about: str, tally: Tally) -> None: ...


@unchanging
class Ask:
    """An order that follows from a sign."""

    duty: str
    step: str
    trigger: Sign
    command: Command
    stream: UUID | None
    """None opens a new one."""

    @property
    def key(self) -> str:
        """Under which it is posted: the same trigger asks once, however often somebody looks."""
        return f"{self.duty}:{self.trigger.event_id}:{self.step}"


def learn(signs: Iterable[Sign], tallies: Tallies, known: Known) -> Iterator[Ask]:
    """Everything that follows from these signs, the next of the ledger, in its order."""
    for sign in signs:
        duty = _DUTIES.get(sign.kind)
        ask = None if duty is None else duty(sign, tallies, known)
        if ask is not None:
            yield ask


def _complete(duty: str, about: str, enough: Enough, due_at: datetime, sign: Sign, tallies: Tallies) -> bool:
    """Counts this sign; whether the count is complete with it, in time for what was due at `due_at`.

    Late news completes nothing: the next sign that comes in time does.
    """
    tally, complete = counted(enough, tallies.get(duty, about), Met(sign.position, sign.occurred_at))
    if complete and not _in_time(due_at, sign):
        return False
    tallies.put(duty, about, tally)
    return bool(complete)


def _in_time(due_at: datetime, sign: Sign) -> bool:
    # Late news raises no storm: what was due before we heard of it is not asked for.
    return due_at > sign.recorded_at


def _training(sign: Sign, tallies: Tallies, known: Known) -> Ask | None:
    """D9: training that is missing again and again on one team and topic is asked for."""
    team = known.team(sign)
    due_at = sign.occurred_at + ANSWER_WITHIN
    if team is None or sign.about is None:
        return None
    if not _complete("D9", f"{team}/{sign.about}", MISSING, due_at, sign, tallies):
        return None
    asker = known.asker(sign, team)
    return None if asker is None else Ask("D9", "help", sign, _help("training", sign.about, due_at), asker)


def _review(sign: Sign, tallies: Tallies, known: Known) -> Ask | None:
    """D10: the owner of a rule that stands in the way again and again is asked to look at it."""
    due_at = sign.occurred_at + REVIEW_WITHIN
    if sign.about is None or not _complete("D10", sign.about, BLOCKS, due_at, sign, tallies):
        return None
    owner = known.owner(sign)
    return None if owner is None else Ask("D10", "review", sign, _help("rule", sign.about, due_at), owner)


def _help(kind: HelpKind, topic: str, due_at: datetime) -> AskForHelp:
    return AskForHelp(kind=kind, topic=topic, from_="obstacles", due_at=due_at)


def _similar(sign: Sign, tallies: Tallies, known: Known) -> Ask | None:
    """D8: what fails again and again, whoever it happens to, is something to learn from."""
    late = sign.occurred_at + LATE
    if sign.about is None or not _complete("D8", sign.about, SIMILAR, late, sign, tallies):
        return None
    lesson = DraftLesson(kind="lesson", title=AGAIN, text=QUESTIONS, topic=sign.about, trigger=sign.event_id)
    return Ask("D8", "lesson", sign, lesson, None)


def _case_study(sign: Sign, tallies: Tallies, known: Known) -> Ask | None:
    """D8: a recovery that taught something is written up once it is closed."""
    if sign.recovery_id is None or not _in_time(sign.occurred_at + LATE, sign):
        return None
    found = worth_reading(known.of_recovery(sign), known.shown_before)
    if found is None or found[0].event_id != sign.event_id:
        return None
    recovery = FromRecovery(customer_id=CustomerId(sign.stream_id), recovery_id=RecoveryId(sign.recovery_id))
    study = DraftLesson(kind="case_study", from_recovery=recovery, trigger=sign.event_id)
    return Ask("D8", "case_study", sign, study, None)


_DUTIES: Final[Mapping[str, Callable[[Sign, Tallies, Known], Ask | None]]] = {
    "untrained": _training,
    "blocked": _review,
    "failed": _similar,
    "closed": _case_study,
    "stated": _case_study,
}
