"""Posts: who joins, in which role and team, under whom, and who leaves."""

import pytest

from domain.colleagues.post import ChangeRole, ColleagueJoined, ColleagueLeft, Join, Leave, RoleChanged
from domain.kinds import Actor
from domain.moves.apology import ApologyMade
from tests.support.careers import Career, joined, known_as
from tests.support.given import colleague, refused, story

MECHANIC = Join(role="mechanic", role_class="back", team="workshop", manager="lead")


def test_somebody_joins_in_a_role_a_team_and_under_whom():
    [event] = Career().when(MECHANIC).then(ColleagueJoined)
    assert (event.role, event.role_class, event.team) == ("mechanic", "back", "workshop")
    assert event.manager == known_as("lead")


def test_from_then_on_he_acts_in_that_role_whatever_is_said_of_him():
    claimed = colleague("anyone", role="manager", role_class="manager")
    acting = Career().when(MECHANIC).state.acting(claimed)
    assert acting == Actor(kind="colleague", ref=claimed.ref, role="mechanic", role_class="back")


def test_whoever_never_joined_acts_in_the_role_that_is_said():
    claimed = colleague("anyone", role="waiter", role_class="front")
    assert Career().state.acting(claimed) is claimed


@pytest.mark.parametrize(("said", "acts"), [("front", "front"), ("back", "back"), ("manager", "front")])
def test_whoever_left_acts_as_one_who_never_joined_but_leads_nobody(said: str, acts: str):
    claimed = colleague("anyone", role="waiter", role_class=said)
    gone = joined(role="chef", role_class="manager").when(Leave())
    acting = gone.state.acting(claimed)
    assert (acting.role, acting.role_class) == ("other" if said == "manager" else "waiter", acts)
    assert gone.when(MECHANIC).state.acting(claimed).role == "mechanic"


def test_nobody_joins_twice():
    with refused("already_exists"):
        joined().when(MECHANIC)


def test_whoever_left_may_come_back():
    back = joined().when(Leave()).when(MECHANIC)
    assert (back.state.here, back.state.left, back.state.role) == (True, False, "mechanic")


def test_a_change_says_only_what_changes():
    [event] = joined(team="desk").when(ChangeRole(team="workshop")).then(RoleChanged)
    assert event.role is None
    changed = joined(team="desk").when(ChangeRole(team="workshop", manager="other")).state
    assert (changed.role, changed.team, changed.manager) == ("representative", "workshop", known_as("other"))


def test_a_change_of_nothing_is_none():
    with refused("invalid_value", field="role"):
        joined().when(ChangeRole())


@pytest.mark.parametrize("command", [ChangeRole(team="workshop"), Leave()])
def test_only_whoever_is_here_changes_or_leaves(command: ChangeRole | Leave):
    with refused("unknown_ref", what="colleague"):
        Career().when(command)
    with refused("unknown_ref", what="colleague"):
        joined().when(Leave()).when(command)


def test_leaving_is_recorded_and_his_role_is_not_forgotten():
    gone = joined().when(Leave())
    gone.then(ColleagueLeft)
    assert (gone.state.here, gone.state.role) == (False, "representative")


def test_nobody_leads_himself():
    with refused("invalid_value", field="manager"):
        joined().when(ChangeRole(manager="anyone"))


def test_a_stream_with_events_of_something_else_is_no_colleague():
    customer = story().given(ApologyMade(said="regret", stage="acknowledgement", recovery_id=known_as("x"))).facts
    assert Career().state.after(customer[0]).strange


def test_an_id_is_found_among_those_who_joined():
    [event] = Career().when(MECHANIC).then(ColleagueJoined)
    assert event.links() == (("/colleague", str(known_as("anyone"))),)
