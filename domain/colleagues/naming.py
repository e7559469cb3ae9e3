"""Naming: whether a colleague wants to be named where his good work is told, and how.

Nobody is named who did not say so himself (practices S5.13).
"""

from domain.colleagues.state import Colleague, ColleagueCommand, ColleagueEvent, refuse_left
from domain.errors import InvalidValue
from domain.kinds import Context, Event, Fact
from domain.values import Personal, Words


class NamingConsentSet(ColleagueEvent, topic="naming_consent.set"):
    """He may be named, or may not any more. Before the first word nobody is."""

    given: bool
    name: Personal[Words] | None = None
    """The name that he wants to be named by."""

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        return state.but(may_be_named=self.given)


class SetNamingConsent(
    ColleagueCommand, path="set-naming-consent", facts=(NamingConsentSet,), opens=True, scope="admin"
):
    """Record whether a colleague wants to be named where his good work is told. The last word counts."""

    given: bool
    name: Personal[Words] | None = None
    """The name that he wants to be named by."""

    def decide(self, state: Colleague, at: Context) -> list[Event]:
        refuse_left(state)
        if self.name is not None and not self.given:
            raise InvalidValue("name", "whoever is not named has no name here")
        return [NamingConsentSet(given=self.given, name=self.name)]
