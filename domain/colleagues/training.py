"""Training: what a colleague has learned, in whatever form.

That he got it matters more than how (practices S4.29).
"""

from typing import Annotated

from pydantic import Field

from domain.colleagues.state import Colleague, ColleagueCommand, ColleagueEvent, refuse_left
from domain.kinds import Context, Event, Fact
from domain.values import Code, OneOf

Format = Annotated[
    str,
    OneOf(("course", "workshop", "coaching", "shadowing", "team_session", "self_study", "informal", "other")),
]


class TrainingCompleted(ColleagueEvent, topic="training.completed"):
    """He was trained in a topic."""

    topic: Code
    format: Format = Field(default="other")

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        return state.but(training=state.training | {self.topic})


class CompleteTraining(
    ColleagueCommand, path="complete-training", facts=(TrainingCompleted,), opens=True, scope="admin"
):
    """Record that a colleague was trained in a topic. Rules of authority may ask for it."""

    topic: Code
    format: Format = Field(default="other")

    def decide(self, state: Colleague, at: Context) -> list[Event]:
        refuse_left(state)
        return [TrainingCompleted(topic=self.topic, format=self.format)]
