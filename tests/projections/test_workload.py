"""Workload: what is open and promised beside what a team can take on."""

from typing import Any

from domain.colleagues.post import Leave
from domain.colleagues.workload import RecordAbsence, SetCapacity
from domain.moves.commitment import KeepCommitment, MakeCommitment
from domain.moves.handling import Assign
from domain.moves.outcome import Close
from domain.moves.relationship import PersonalDataErased
from projections import workload
from projections.base import fold
from projections.promises import Promises
from projections.recovery_rows import Recoveries
from projections.training_rows import Training
from projections.workload import TeamLoad, WorkloadReport
from tests.support import reporting
from tests.support.careers import Career, day, joined, known_as
from tests.support.given import Story, named_id
from tests.support.ledgers import Book
from tests.support.reporting import asked, minute, period
from tests.support.stories import reported

DAY = 24 * 60
CALL = named_id("call")


def told(shelf: Book, *tales: Story | Career) -> Book:
    """The shelf with each of these stories told, and the read models that this report asks caught up."""
    return reporting.told(shelf, *tales, only=(Promises(), Recoveries(), Training()))


def team_of(name: str, n: int, points: int | None = 2) -> list[Career]:
    """So many colleagues of one team, each with room for so much."""
    careers = [joined(f"{name} {nth}", team=name) for nth in range(n)]
    for career in careers if points is not None else ():
        career.when(SetCapacity(points=points))
    return careers


def case(team: str | None = "desk", owner: str | None = None, at: float = 1) -> Story:
    """An open recovery of this team, and of whoever owns it."""
    given: dict[str, Any] = {"team": team, "owner": owner}
    assigned = Assign.model_validate({name: one for name, one in given.items() if one is not None})
    return reported().when(assigned, at=at)


def promised(tale: Story, due: float, at: float = 2) -> Story:
    """We said that we would call, so many minutes after it all began."""
    return tale.when(MakeCommitment(what="We call you.", due_at=minute(due), commitment_id=CALL), at=at)


def team(found: WorkloadReport, name: str = "desk") -> TeamLoad:
    """The load of this team."""
    [one] = [one for one in found.teams if one.team == name]
    return one


def test_s4_30_open_recoveries_and_promises_stand_beside_what_the_team_can_take_on(shelf: Book):
    tales = [case() for _ in range(7)] + [promised(case(), due=90), promised(case(), due=900)]
    desk = team(asked(told(shelf, *team_of("desk", 5), *tales), workload.report, period(as_of=120)))
    assert (desk.colleagues, desk.open_recoveries, desk.open_promises, desk.overdue_promises) == (5, 9, 2, 1)
    assert (desk.points, desk.capacity, desk.share, desk.overloaded) == (11, 10, 1.1, True)


def test_s4_30_a_team_with_room_is_not_overloaded_and_the_fullest_stands_first(shelf: Book):
    tales = [case() for _ in range(9)] + [case("yard") for _ in range(10)] + [case("yard", at=3)]
    found = asked(told(shelf, *team_of("desk", 5), *team_of("yard", 5), *tales), workload.report)
    assert [(one.team, one.share, one.overloaded) for one in found.teams] == [
        ("yard", 1.1, True),
        ("desk", 0.9, False),
    ]
    assert (found.whole.points, found.whole.capacity, found.n) == (20, 20, 20)
    assert (found.points_per_recovery, found.points_per_promise) == (1, 1)


def test_a_recovery_without_a_team_is_of_its_owners_team(shelf: Book):
    found = asked(told(shelf, *team_of("desk", 5), case(None, "desk 3"), reported()), workload.report)
    assert (team(found).open_recoveries, found.n) == (1, 2)


def test_a_team_of_which_not_everybody_said_how_much_is_not_said_to_have_too_much(shelf: Book):
    desk = [*team_of("desk", 5), joined("another", team="desk")]
    found = team(asked(told(shelf, *desk, *(case() for _ in range(11))), workload.report))
    assert (found.points, found.capacity, found.share, found.overloaded) == (11, 10, None, None)


def test_who_is_away_or_has_left_takes_nothing_on(shelf: Book):
    desk = team_of("desk", 7)
    desk[0].when(RecordAbsence(begins=day(1), ends=day(3)))
    desk[1].when(Leave(), at=1)
    shelf = told(shelf, *desk, case())
    capacities = [team(asked(shelf, workload.report, period(as_of=at * DAY))).capacity for at in (0.5, 2, 3)]
    assert capacities == [14, 10, 12]


def test_the_last_word_on_how_much_one_can_take_on_counts(shelf: Book):
    desk = team_of("desk", 5)
    desk[0].when(SetCapacity(points=9), at=2)
    assert team(asked(told(shelf, *desk, case()), workload.report)).capacity == 17


def test_what_fewer_than_five_can_take_on_is_hidden(shelf: Book):
    desk = [*team_of("desk", 4), joined("another", team="desk")]
    found = team(asked(told(shelf, *desk, case()), workload.report))
    assert (found.colleagues, found.capacity, found.share, found.overloaded) == (5, None, None, None)


def test_the_whole_does_not_tell_what_few_of_the_others_can_take_on(shelf: Book):
    yard = [*team_of("yard", 3), joined("another", team="yard"), joined("one more", team="yard")]
    found = asked(told(shelf, *team_of("desk", 5), *yard), workload.report)
    assert [(one.team, one.capacity) for one in found.teams] == [("desk", 10), ("yard", None)]
    assert (found.whole.points, found.whole.capacity) == (0, None)


def test_a_team_of_fewer_than_five_is_hidden_and_so_is_what_would_tell_of_it(shelf: Book):
    teams = [*team_of("desk", 6), *team_of("yard", 5), *team_of("office", 2)]
    found = asked(told(shelf, *teams, case(), case("yard"), case("office")), workload.report)
    # Taken from the whole, two shown teams would leave the third.
    assert [one.team for one in found.teams] == ["desk"]
    assert (found.hidden_teams, found.whole.open_recoveries) == (2, 3)


def test_the_whole_is_hidden_where_it_is_of_a_small_team_alone(shelf: Book):
    found = asked(told(shelf, *team_of("desk", 4), case()), workload.report)
    assert (found.whole, found.teams, found.hidden_teams) == (None, [], 1)


def test_what_is_closed_kept_or_promised_to_somebody_forgotten_is_open_no_more(shelf: Book):
    closed = promised(case(), due=90).when(Close(outcome="lost"), at=30)
    kept = promised(case(), due=90).when(KeepCommitment(commitment_id=CALL), at=30)
    forgotten = promised(case(), due=90).given(PersonalDataErased(request="r-1"), at=30)
    mistaken = promised(case(), due=90).when(Close(outcome="entered_in_error"), at=30)
    shelf = told(shelf, *team_of("desk", 5), closed, kept, forgotten, mistaken)
    now, before = (team(asked(shelf, workload.report, period(as_of=at))) for at in (40, 20))
    # What was promised is owed though the case is closed.
    assert (now.open_recoveries, now.open_promises) == (1, 1)
    assert (before.open_recoveries, before.open_promises) == (2, 2)


def test_s4_31_the_load_of_one_colleague_is_what_he_owns(shelf: Book):
    tales = [promised(case("yard", "desk 0"), due=90), case("desk", "desk 0"), case("desk", "desk 1")]
    shelf = told(shelf, *team_of("desk", 5), *tales)
    mine = asked(shelf, workload.report, period(), known_as("desk 0")).colleague
    assert (mine.open_recoveries, mine.open_promises, mine.overdue_promises) == (2, 1, 1)
    assert (mine.points, mine.capacity, mine.overloaded, mine.absent) == (3, 2, True, False)
    assert asked(shelf, workload.report).colleague is None


def test_s4_31_who_is_away_has_room_for_nothing(shelf: Book):
    [away] = team_of("desk", 1)
    away.when(RecordAbsence(begins=day(0)))
    mine = asked(
        told(shelf, away, case("desk", "desk 0")), workload.report, period(), known_as("desk 0")
    ).colleague
    assert (mine.absent, mine.capacity, mine.share, mine.overloaded) == (True, 0, None, True)


def test_of_somebody_nobody_knows_nothing_is_told(shelf: Book):
    mine = asked(told(shelf, case()), workload.report, period(), known_as("nobody")).colleague
    assert (mine.points, mine.capacity, mine.overloaded) == (0, None, None)


def test_a_rebuild_gives_the_same_rows(shelf: Book):
    desk = team_of("desk", 1)
    desk[0].when(RecordAbsence(begins=day(1)))
    kept = promised(case(), due=90).when(KeepCommitment(commitment_id=CALL), at=30)
    shelf = told(shelf, *desk, kept)
    live = shelf.rows(Promises())
    assert {name for name, rows in live.items() if rows} == {table.name for table in Promises.tables}
    shelf.projector().rebuild("promises")
    assert shelf.rows(Promises()) == live


def test_no_words_stand_in_its_rows():
    rows = fold(Promises(), promised(case(), due=90).facts)
    assert len(rows) == 1
    assert "We call you." not in {str(value) for row in rows.values() for value in row.values()}
