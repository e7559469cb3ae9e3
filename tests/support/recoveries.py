"""Recoveries to begin a story with; a test names only what it cares about."""

from datetime import datetime, timedelta
from typing import Any

from domain.kinds import Event
from domain.milestones import RelationshipOpened
from domain.moves.failure import ReportFailure
from domain.moves.outcome import RecoveryClosed, RecoveryResolved
from domain.moves.relationship import PersonalDataErased
from domain.moves.treatment import TreatmentReported
from domain.recovery import Recovery
from domain.relationship import RelationshipCommand
from domain.values import Money
from tests.support.given import START, Story, named_id, refused, story

PLUMS = named_id("plums")


def minute(after: float) -> datetime:
    """The moment so many minutes after START."""
    return START + timedelta(minutes=after)


def eur(minor: int) -> Money:
    """So many euro cents."""
    return Money(minor=minor, currency="EUR")


def usd(minor: int) -> Money:
    """So many US cents."""
    return Money(minor=minor, currency="USD")


def known() -> Story:
    """A customer of whom nothing else is recorded."""
    return story().given(RelationshipOpened())


def reported(**fields: Any) -> Story:
    """Somebody reported that the plums were bad; `fields` change the report."""
    told: dict[str, Any] = {"what": "wrong_or_broken", "description": "the plums are bad", "recovery_id": PLUMS}
    return story().when(ReportFailure(**(told | fields)))


def of(tale: Story) -> Recovery:
    """The recovery about the plums as it stands now."""
    return tale.state.recovery(PLUMS)


def resolved(tale: Story, at: float = 60) -> Story:
    """The story with the recovery resolved."""
    return tale.given(RecoveryResolved(recovery_id=PLUMS, how_code="exchange"), at=at)


def closed(tale: Story, at: float = 90) -> Story:
    """The story with the recovery closed."""
    return resolved(tale, at).given(RecoveryClosed(recovery_id=PLUMS, outcome="withdrawn"), at=at)


def treated_badly(tale: Story, by: str) -> Story:
    """The story after the customer named this colleague."""
    named = {"recovery_id": PLUMS, "treatment": "last_word", "degree": 1, "after_resolution": False}
    return tale.given(
        TreatmentReported.model_validate(
            named | {"by_role_class": "front", "by_colleague": named_id(f"colleague:{by}")}
        )
    )


def erased() -> Story:
    """A customer with one recovery who asked to be forgotten."""
    return reported().given(PersonalDataErased(request="r-1"))


def refused_when_erased(command: RelationshipCommand) -> None:
    """Asserts that nothing is recorded of a customer who was forgotten (I-2)."""
    with refused("erased"):
        erased().when(command)


def again(event: Event) -> Event:
    """The event as it comes back from JSON."""
    return type(event).model_validate_json(event.model_dump_json(exclude_none=True))
