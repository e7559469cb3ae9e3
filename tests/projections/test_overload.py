"""Overload: with its promise a team is told that it has more to do than it can take on."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import event, select

from domain.colleagues.post import ChangeRole, Leave
from domain.colleagues.workload import RecordAbsence, SetCapacity
from domain.moves.commitment import KeepCommitment
from domain.moves.outcome import Close
from projections import workload
from projections.base import Source
from projections.overload import overloaded
from projections.promises import Promises, promises
from projections.recovery_rows import Recoveries, recoveries
from tests.projections.test_workload import CALL, DAY, case, promised, team_of, told
from tests.support.careers import Career, day, joined
from tests.support.given import Story, named_id
from tests.support.ledgers import Book
from tests.support.reporting import asked, minute, period

Tales = Sequence[Story | Career]


def cases(team: str | None, n: int, **of: Any) -> list[Story]:
    """So many open recoveries of this team."""
    return [case(team, **of) for _ in range(n)]


def promise(team: str | None, **of: Any) -> Story:
    """An open recovery in which something is promised that nobody has done yet."""
    return promised(case(team, **of), due=900)


def kept(team: str) -> Story:
    """An open recovery in which a promise was kept."""
    return promised(case(team), due=90).when(KeepCommitment(commitment_id=CALL), at=10)


def crew(team: str) -> list[Career]:
    """Five colleagues, with room for ten things."""
    return team_of(team, 5)


def somebody(name: str, team: str, points: int) -> Career:
    """One more colleague of this team, with room for so much."""
    return joined(name, team=team).when(SetCapacity(points=points))


SCENES: Final[dict[str, Callable[[str], Tales]]] = {
    "has-room": lambda team: [*crew(team), *cases(team, 8), promise(team)],
    "is-over": lambda team: [*crew(team), *cases(team, 9), promise(team)],
    "is-over-by-promises": lambda team: [*crew(team), *cases(team, 7), promise(team), promise(team)],
    "kept-its-word": lambda team: [*crew(team), *cases(team, 7), kept(team), promise(team)],
    "closed-one": lambda team: [
        *crew(team),
        *cases(team, 8),
        case(team).when(Close(outcome="lost"), at=10),
        promise(team),
    ],
    "is-over-by-owners": lambda team: [*crew(team), *cases(None, 9, owner=f"{team} 3"), promise(team)],
    "is-over-by-an-owner": lambda team: [*crew(team), *cases(team, 9), promise(None, owner=f"{team} 1")],
    "is-few": lambda team: [*team_of(team, 4), *cases(team, 20), promise(team)],
    "has-not-all-said": lambda team: [*crew(team), joined("silent", team=team), *cases(team, 20), promise(team)],
    "is-over-since-one-moved": lambda team: [
        *crew(team),
        somebody("moved", team, 90).when(ChangeRole(team="has-room")),
        *cases(team, 9),
        promise(team),
    ],
    "has-one-in-another-role": lambda team: [
        *crew(team),
        somebody("waits", team, 1).when(ChangeRole(role="waiter")),
        *cases(team, 9),
        promise(team),
    ],
    "is-over-since-one-left": lambda team: [
        *crew(team),
        somebody("gone", team, 90).when(Leave()),
        *cases(team, 9),
        promise(team),
    ],
}
OVER: Final = {team for team in SCENES if team.startswith("is-over")}


def warned(source: Source, at: float = 120) -> list[str | None]:
    """Of each promise that was not kept, in order, the team that has too much to do with it, as it stands then."""
    of = promises.c
    made = select(of.stream_id, of.recovery_id, of.position).where(
        *source.of(Promises, promises), of.due_at == minute(900)
    )
    return [overloaded(source, *one, minute(at)) for one in source.conn.execute(made.order_by(of.position)).all()]


def cases_of(source: Source) -> list[Any]:
    """Every recovery, and whose it is."""
    of = recoveries.c
    return list(
        source.conn.execute(select(of.stream_id, of.recovery_id).where(*source.of(Recoveries, recoveries)))
    )


def test_s4_30_with_a_promise_is_told_what_the_report_says_of_the_team(shelf: Book):
    # All in one house: of each team only what is its own counts.
    shelf = told(shelf, *(tale for team, scene in SCENES.items() for tale in scene(team)))
    with shelf.source() as source:
        assert set(warned(source)) == {*OVER, None}
    report = asked(shelf, workload.report, period(as_of=120))
    # What the report hides beside its whole stands alone with a promise.
    assert {one.team for one in report.teams if one.overloaded} <= OVER
    assert {one.team for one in report.teams if one.overloaded is False} & OVER == set()


def test_who_is_away_takes_nothing_on_while_he_is_away(shelf: Book):
    away = somebody("away", "desk", 2).when(RecordAbsence(begins=day(1), ends=day(3)))
    shelf = told(shelf, *crew("desk"), away, *cases("desk", 9), promise("desk"))
    with shelf.source() as source:
        assert [warned(source, at * DAY) for at in (0.5, 2, 3)] == [[None], ["desk"], [None]]


def test_a_promise_counts_though_the_read_models_do_not_know_it_yet(shelf: Book):
    shelf = told(shelf, *crew("desk"), *cases("desk", 10))
    with shelf.source() as source:
        known = cases_of(source)[0]
        assert overloaded(source, *known, 999, minute(120)) == "desk"
        # The recovery itself is not known: whose promise it is, nobody can tell.
        assert overloaded(source, known[0], named_id("new"), 999, minute(120)) is None


def test_it_is_asked_in_one_statement_that_finds_everything_by_a_key(shelf: Book):
    """In a database that knows nothing of its tables, a join is read whole for each row of another."""
    with shelf.engine.connect() as conn:
        conn.begin()  # SQLite is told so in a statement of its own
        sent: list[tuple[str, Any]] = []
        event.listen(conn, "before_cursor_execute", lambda *of: sent.append(of[2:4]))
        overloaded(Source(conn, "main", 1), named_id("new"), named_id("recovery"), 5, minute(120))
        [(statement, values)] = sent
        explained = conn.exec_driver_sql(f"{EXPLAIN[conn.dialect.name]} {statement}", values)
        plan = "\n".join(str(row[-1]) for row in explained)
    assert re.search("USING .*INDEX|Index Scan", plan)
    assert not re.search(WHOLE[conn.dialect.name], plan, re.MULTILINE)


EXPLAIN: Final = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}
WHOLE: Final = {"sqlite": r"^SCAN (?!\(subquery|anon|CONSTANT)", "postgresql": "Seq Scan|Hash Join|Merge Join"}
