"""Asking for help: what a colleague asks of whoever leads him, and that somebody answers in time.

Training, other hours, shared work, another tool or rule (practices S4.28, S4.31).
"""

from datetime import datetime, timedelta
from typing import Final, Literal, NewType
from uuid import UUID

from pydantic import ConfigDict, Field

from domain.colleagues.state import Colleague, ColleagueCommand, ColleagueEvent, Help, refuse_left
from domain.errors import AlreadyExists, InvalidValue, UnknownRef
from domain.kinds import Context, Event, Fact
from domain.values import Code, ColleagueId, Moment, Personal, Words

HelpId = NewType("HelpId", UUID)
HelpKind = Literal["training", "schedule", "sharing", "tool", "rule"]
TopicClass = Literal["organisation", "product", "process", "interpersonal"]
From = Literal["self", "obstacles"]
ANSWER_WITHIN: Final = timedelta(days=7)
"""Until when an answer is due where nobody says when."""


class HelpAsked(ColleagueEvent, topic="help.asked"):
    """He asked for help, or what stood in his way asked for him."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    help_id: HelpId
    kind: HelpKind
    topic: Code
    class_: TopicClass | None = Field(default=None, alias="class")
    from_: From = Field(default="self", alias="from")
    due_at: Moment | None = None
    """None for what another system told long after: no clock runs."""
    note: Personal[Words] | None = None

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        # Late news raises no storm: what was due before we heard of it never fires.
        runs = self.due_at is not None and self.due_at > fact.recorded_at
        asked = Help(kind=self.kind, topic=self.topic, due_at=self.due_at if runs else None)
        return state.but(help={**state.help, self.help_id: asked})


class AskForHelp(ColleagueCommand, path="ask-for-help", facts=(HelpAsked,), opens=True):
    """Ask for training, other hours, shared work, another tool or rule.

    A colleague asks for himself; for others it takes the scope `admin`. Without `due_at` an answer is due in seven
    days; one that does not come goes to whoever leads him.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    kind: HelpKind
    topic: Code
    help_id: HelpId | None = None
    class_: TopicClass | None = Field(default=None, alias="class")
    from_: From = Field(default="self", alias="from")
    due_at: Moment | None = None
    note: Personal[Words] | None = None

    def decide(self, state: Colleague, at: Context) -> list[Event]:
        refuse_left(state)
        if self.help_id is not None and (self.help_id in state.help or self.help_id in state.answered):
            raise AlreadyExists("help", self.help_id)
        return [
            HelpAsked(
                help_id=self.help_id or HelpId(at.new_id()),
                kind=self.kind,
                topic=self.topic,
                class_=self.class_,
                from_=self.from_,
                due_at=self._due(at),
                note=self.note,
            )
        ]

    def _due(self, at: Context) -> datetime | None:
        if self.due_at is not None and self.due_at <= at.occurred_at:
            raise InvalidValue("due_at", "an answer is due after the question")
        return None if at.importing else self.due_at or at.occurred_at + ANSWER_WITHIN


class HelpAnswered(ColleagueEvent, topic="help.answered"):
    """Whoever leads him answered: with a plan, or with a no and its reason."""

    help_id: HelpId
    refused: bool = False
    plan: Personal[Words] | None = None
    reason: Personal[Words] | None = None

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        open_still = {one: asked for one, asked in state.help.items() if one != self.help_id}
        return state.but(help=open_still, answered=state.answered | {self.help_id})


class AnswerHelp(ColleagueCommand, path="answer-help", facts=(HelpAnswered,), scope="admin"):
    """Answer a request for help: say what will be done (`plan`), or refuse it and say why (`reason`)."""

    help_id: HelpId
    refused: bool = False
    plan: Personal[Words] | None = None
    reason: Personal[Words] | None = None

    def decide(self, state: Colleague, at: Context) -> list[Event]:
        if self.help_id not in state.help:
            raise UnknownRef("open request for help", self.help_id)
        if self.refused and (self.reason is None or self.plan is not None):
            raise InvalidValue("reason", "a no needs its reason, and no plan")
        if not self.refused and self.plan is None:
            raise InvalidValue("plan", "say what will be done; or refused: true, and why")
        return [HelpAnswered(help_id=self.help_id, refused=self.refused, plan=self.plan, reason=self.reason)]


class HelpEscalated(ColleagueEvent, topic="help.escalated"):
    """Nobody answered in time: it goes to whoever leads him, if anybody is known to."""

    help_id: HelpId
    due_at: Moment
    to: ColleagueId | None = None

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        asked = state.help.get(self.help_id)
        if asked is None:
            return state
        return state.but(help={**state.help, self.help_id: asked.but(due_at=None, escalated=True)})


def unanswered(state: Colleague, until: datetime) -> list[tuple[datetime, Event]]:
    """The requests for help whose answer was due up to then, each with its due time; ties by id."""
    due = sorted((one.due_at, help_id) for help_id, one in state.help.items() if one.due_at is not None)
    to = None if state.manager is None else ColleagueId(state.manager)
    return [(at, HelpEscalated(help_id=HelpId(help_id), due_at=at, to=to)) for at, help_id in due if at <= until]
