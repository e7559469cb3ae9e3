"""Post: who joins, in which role and team, under whom, and who leaves."""

from domain.colleagues.state import Colleague, ColleagueCommand, ColleagueEvent, refuse_not_here
from domain.errors import AlreadyExists, InvalidValue
from domain.kinds import Context, Event, Fact
from domain.values import CallerRef, Code, ColleagueId
from domain.vocabulary import RoleClass

REFERENCE = "/colleague"
"""The kind of reference under which everybody who joined is found. No caller can write it: codes have no slash."""


class ColleagueJoined(ColleagueEvent, topic="colleague.joined"):
    """Somebody works here from now on, in this role and team."""

    colleague_id: ColleagueId
    role: Code
    role_class: RoleClass
    team: Code
    manager: ColleagueId | None = None

    def links(self) -> tuple[tuple[str, str], ...]:
        return ((REFERENCE, str(self.colleague_id)),)

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        return state.but(
            here=True,
            left=False,
            role=self.role,
            role_class=self.role_class,
            team=self.team,
            manager=self.manager,
            absence=None,
        )


class Join(ColleagueCommand, path="join", facts=(ColleagueJoined,), opens=True, scope="admin"):
    """Record that somebody works here. From now on all that he does is done in the role said here."""

    role: Code
    role_class: RoleClass
    team: Code
    manager: CallerRef | None = None
    """Your own id of the colleague who leads him."""

    def decide(self, state: Colleague, at: Context) -> list[Event]:
        if state.here:
            raise AlreadyExists("colleague", state.colleague_id)
        return [
            ColleagueJoined(
                colleague_id=ColleagueId(state.colleague_id),
                role=self.role,
                role_class=self.role_class,
                team=self.team,
                manager=_led_by(self.manager, state, at),
            )
        ]


class RoleChanged(ColleagueEvent, topic="role.changed"):
    """A colleague has another role, team or leader. What is not said stays."""

    role: Code | None = None
    role_class: RoleClass | None = None
    team: Code | None = None
    manager: ColleagueId | None = None

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        return state.but(**self.model_dump(exclude_none=True))


class ChangeRole(ColleagueCommand, path="change-role", facts=(RoleChanged,), scope="admin"):
    """Record that a colleague has another role, team or leader. Say only what changes."""

    role: Code | None = None
    role_class: RoleClass | None = None
    team: Code | None = None
    manager: CallerRef | None = None

    def decide(self, state: Colleague, at: Context) -> list[Event]:
        refuse_not_here(state)
        if not self.model_fields_set:
            raise InvalidValue("role", "say what changes: role, role_class, team or manager")
        return [
            RoleChanged(
                role=self.role,
                role_class=self.role_class,
                team=self.team,
                manager=_led_by(self.manager, state, at),
            )
        ]


class ColleagueLeft(ColleagueEvent, topic="colleague.left"):
    """Somebody does not work here any more."""

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        return state.but(here=False, left=True)


class Leave(ColleagueCommand, path="leave", facts=(ColleagueLeft,), scope="admin"):
    """Record that somebody does not work here any more."""

    def decide(self, state: Colleague, at: Context) -> list[Event]:
        refuse_not_here(state)
        return [ColleagueLeft()]


def _led_by(manager: str | None, state: Colleague, at: Context) -> ColleagueId | None:
    if manager is None:
        return None
    found = at.pseudonym("colleague", manager)
    if found == state.colleague_id:
        raise InvalidValue("manager", "nobody leads himself")
    return ColleagueId(found)
