"""Sixty days on a simulated clock: whatever happens, the same events in whatever steps time is swept.

Told by commands, so that what commands plan and set by standards and calendars is in, too.
"""

from contextlib import suppress
from typing import Any, Final

import hypothesis
import pytest
from hypothesis import strategies as st

from domain.errors import Refused
from domain.kinds import UNPUBLISHED
from domain.moves.apology import Apologise
from domain.moves.compensation import GrantCompensation
from domain.moves.contact import UpdateCustomer
from domain.moves.escalation import Escalate, SettleEscalation
from domain.moves.failure import Reassess, ReportFailure
from domain.moves.follow_up import AttemptFollowUp, CompleteFollowUp
from domain.moves.outcome import Reopen, Resolve
from domain.moves.relationship import QuietHours, SetContactPreferences
from domain.moves.remedy import DeliverRemedy
from domain.moves.treatment import ReportTreatment
from domain.moves.voice import AnnounceLeaving
from domain.relationship import RelationshipCommand
from domain.standards.house import House
from domain.values import Money
from tests.support.clockwork import DAY, HOUR, Clockwork
from tests.support.given import named_id
from tests.support.houses import open_on_weekdays
from tests.support.soak import examples

KNOWN: Final = (("crm", "C-1001"),)
HOUSES: Final[dict[str, House]] = {
    "ships": UNPUBLISHED,
    "weekdays": open_on_weekdays(update_interval=("3 bd", "2 bd", "1 bd", "120 bm", "4 h")),
}
MOVES: Final = (
    *("report", "report", "report", "apologise", "deliver", "update", "resolve", "resolve", "reopen", "reassess"),
    *("treat", "leave", "escalate", "settle", "try", "ask", "promise", "request"),
)
HISTORIES = st.lists(
    st.tuples(st.integers(0, 9 * DAY), st.sampled_from(MOVES), st.integers(0, 2), st.integers(1, 5)),
    min_size=4,
    max_size=14,
)
STEPS = st.integers(min_value=45, max_value=20 * DAY)


@pytest.mark.parametrize("house", HOUSES)
@examples(30, many=1_000)
@hypothesis.given(history=HISTORIES, every=STEPS)
def test_sixty_days_swept_in_any_steps_give_the_same_events(house: str, history: list[Any], every: int):
    assert told(played(HOUSES[house], history, every)) == told(played(HOUSES[house], history, None))


def test_the_sixty_days_have_everything_in_them_that_time_can_cause():
    history = [
        *((0, "report", 0, 4), (DAY, "apologise", 0, 1), (HOUR, "deliver", 0, 1), (HOUR, "resolve", 0, 1)),
        *((DAY, "report", 1, 2), (DAY, "apologise", 1, 1), (HOUR, "deliver", 1, 1), (HOUR, "resolve", 1, 1)),
        *((5 * DAY, "leave", 0, 1), (HOUR, "report", 2, 3)),
    ]
    clock = played(HOUSES["weekdays"], history, 7 * HOUR)
    assert {topic.partition(" ")[0] for _, topic in clock.log()} >= {
        *("silence.timed", "silence.noticed", "deadline.missed", "escalation.raised", "follow_up.scheduled"),
        *("step.waived", "recovery.closed"),
    }
    levels = {fact.event.level for fact in clock.story.facts if fact.event.TOPIC == "escalation.raised"}
    assert levels == {1, 2, 3}


def told(clock: Clockwork) -> list[Any]:
    """What was recorded and when it happened."""
    return [(fact.occurred_at, fact.event) for fact in clock.story.facts]


def played(house: House, history: list[Any], every: float | None) -> Clockwork:
    """A customer with up to three failures, who sleeps at night, for sixty days."""
    clock = Clockwork()
    clock.story.house = house
    clock.told(ReportFailure(what="other", description="Something.", severity=1), at=0, references=KNOWN)
    clock.told(SetContactPreferences(quiet_hours=QuietHours(start="20:00", end="07:00")), at=0)
    for gap, move, which, number in history:
        clock.sweep(clock.now + gap, every)
        with suppress(Refused):  # not every move is possible at every time
            clock.told(_command(move, {"recovery_id": named_id(f"failure {which}")}, number), at=clock.now)
    clock.sweep(max(clock.now, 60 * DAY), every)
    return clock


def _command(move: str, of: dict[str, Any], number: int) -> RelationshipCommand:
    failure = {"what": "late", "description": "Too late.", "severity": number}
    commands: dict[str, Any] = {
        "report": lambda: ReportFailure(**failure, **of),
        "apologise": lambda: Apologise(said="admits", **of),
        "deliver": lambda: DeliverRemedy(remedy_kind="replacement", **of),
        "update": lambda: UpdateCustomer(kind="progress", **of),
        "resolve": lambda: Resolve(**of),
        "reopen": lambda: Reopen(cause="recurrence", **of),
        "reassess": lambda: Reassess(severity=number, reason="Looked again.", **of),
        "treat": lambda: ReportTreatment(treatment="rude", degree=min(number, 3), **of),
        "leave": AnnounceLeaving,
        "escalate": lambda: Escalate(trigger="media", **of),
        "settle": lambda: SettleEscalation(how="Called him.", **of),
        "try": lambda: AttemptFollowUp(outcome="no_answer", **of),
        "ask": lambda: CompleteFollowUp(outcome=("dissatisfied", "partly", "satisfied")[number % 3], **of),
        "request": lambda: GrantCompensation(kind="voucher", cost=Money(minor=12_000, currency="EUR"), **of),
        "promise": lambda: GrantCompensation(kind="voucher", cost=Money(minor=900, currency="EUR"), **of),
    }
    command: RelationshipCommand = commands[move]()
    return command
