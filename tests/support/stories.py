"""The beginnings of stories: a failure reported, put right, resolved."""

from typing import Any

from domain.moves.apology import Apologise
from domain.moves.failure import ReportFailure
from domain.moves.outcome import Resolve
from domain.moves.remedy import DeliverRemedy
from domain.recovery import Recovery
from tests.support.given import Story, named_id, story

PLUMS = named_id("plums")


def report(name: str = "plums", **more: Any) -> ReportFailure:
    """The order to report a failure whose recovery is called `named_id(name)`."""
    given = {"what": "wrong_or_broken", "description": "The plums were hard.", "recovery_id": named_id(name)}
    return ReportFailure.model_validate(given | more)


def reported(**more: Any) -> Story:
    """A failure was reported at minute 0."""
    return story().when(report(**more))


def put_right(**more: Any) -> Story:
    """It was reported, apologised for and exchanged."""
    told = reported(**more).when(Apologise(said="admits"), at=2)
    return told.when(DeliverRemedy(remedy_kind="replacement", resolves="full"), at=5)


def resolved(**more: Any) -> Story:
    """It was put right and resolved at minute 10."""
    return put_right(**more).when(Resolve(), at=10)


def only(told: Story) -> Recovery:
    """The only recovery of the story."""
    (recovery,) = told.state.recoveries.values()
    return recovery
