"""Workload: how much a colleague can take on, and when he is not here."""

from domain.colleagues.state import Absence, Colleague, ColleagueCommand, ColleagueEvent, refuse_not_here
from domain.errors import InvalidValue
from domain.kinds import Context, Event, Fact
from domain.values import Count, Moment


class CapacitySet(ColleagueEvent, topic="capacity.set"):
    """How much he can take on, in points of the house's own."""

    points: Count

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        return state.but(capacity=self.points)


class SetCapacity(ColleagueCommand, path="set-capacity", facts=(CapacitySet,), scope="admin"):
    """Say how much a colleague can take on, in points of your own."""

    points: Count

    def decide(self, state: Colleague, at: Context) -> list[Event]:
        refuse_not_here(state)
        return [CapacitySet(points=self.points)]


class AbsenceRecorded(ColleagueEvent, topic="absence.recorded"):
    """He is not here for a time. Why is nobody's business."""

    begins: Moment
    ends: Moment | None = None

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        return state.but(absence=Absence(begins=self.begins, ends=self.ends))


class RecordAbsence(ColleagueCommand, path="record-absence", facts=(AbsenceRecorded,), scope="admin"):
    """Record when a colleague is not here; without an end, until the next word. The last word counts."""

    begins: Moment
    ends: Moment | None = None

    def decide(self, state: Colleague, at: Context) -> list[Event]:
        refuse_not_here(state)
        if self.ends is not None and self.ends <= self.begins:
            raise InvalidValue("ends", "an absence ends after it begins")
        return [AbsenceRecorded(begins=self.begins, ends=self.ends)]
