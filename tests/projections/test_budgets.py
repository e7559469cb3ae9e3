"""The read model of budgets: one row per budget, one per entry, the same after a rebuild."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from domain.budgets.commands import CloseBudget, RaiseBudget
from domain.budgets.drawing import commit, expired, release, reserve
from domain.kinds import Fact
from projections import budgets
from projections.base import fold
from projections.budgets import Budgets
from tests.support.budgets import AUTUMN, Purse, eur, grant, opened
from tests.support.given import named_id
from tests.support.ledgers import Book, in_order
from tests.support.stories import reported


def busy() -> Purse:
    """A budget in which everything has happened: 30.00 set aside for a day, 12.50 spent."""
    care = opened()
    care.then(reserve(care.state, grant("voucher"), eur("30.00"), AUTUMN + timedelta(days=1)))
    care.then(reserve(care.state, grant("taxi"), eur("20.00"), AUTUMN + timedelta(hours=1)))
    care.then(commit(care.state, grant("taxi"), eur("12.50")))
    care.then(reserve(care.state, grant("upgrade"), eur("5.00"), None))
    care.then(release(care.state, grant("upgrade"), "withdrawn"))
    return care.when(RaiseBudget(limit=eur("120.00")))


def at(name: str, purse: Purse) -> list[Fact]:
    """The facts of this purse, in a stream of that name."""
    return [
        replace(fact, stream_id=named_id(name), event_id=named_id(f"{name} {fact.version}"))
        for fact in purse.facts
    ]


def shelved(shelf: Book, *facts: Iterable[Fact]) -> Book:
    """The shelf with these facts, read models caught up."""
    shelf.record(in_order([fact for some in facts for fact in some]))
    shelf.projector().catch_up()
    return shelf


def test_a_budget_shows_what_is_set_aside_spent_and_left(shelf: Book):
    told = shelved(shelf, at("care", busy()))
    with told.source() as source:
        shown = budgets.found(source, named_id("care"), AUTUMN)
    assert shown is not None
    sums = [one.amount for one in (shown.limit, shown.reserved, shown.committed, shown.left)]
    assert sums == ["120.00", "30.00", "12.50", "77.50"]
    assert (shown.version, shown.next_due_at) == (7, AUTUMN + timedelta(days=1))


def test_what_is_due_is_named_the_longest_overdue_first(shelf: Book):
    soon, later, never = opened(), opened(), opened()
    soon.then(reserve(soon.state, grant("a"), eur("1.00"), AUTUMN + timedelta(hours=1)))
    later.then(reserve(later.state, grant("b"), eur("1.00"), AUTUMN + timedelta(hours=2)))
    never.then(reserve(never.state, grant("c"), eur("1.00"), None))
    told = shelved(shelf, at("later", later), at("soon", soon), at("never", never))
    with told.source() as source:
        assert budgets.due_streams(source, AUTUMN + timedelta(minutes=59)) == []
        assert budgets.due_streams(source, AUTUMN + timedelta(hours=1)) == [named_id("soon")]
        both = budgets.due_streams(source, AUTUMN + timedelta(days=9))
        assert both == [named_id("soon"), named_id("later")]
        assert budgets.due_streams(source, AUTUMN + timedelta(days=9), limit=1) == [named_id("soon")]


def test_what_was_freed_is_due_no_more(shelf: Book):
    care = opened()
    care.then(reserve(care.state, grant("a"), eur("1.00"), AUTUMN + timedelta(hours=1)))
    for due_at, event in expired(care.state, AUTUMN + timedelta(hours=1)):
        care.then([event], due_at)
    told = shelved(shelf, at("care", care))
    with told.source() as source:
        assert budgets.due_streams(source, AUTUMN + timedelta(days=9)) == []


def test_the_entries_of_a_budget_add_up_to_what_it_shows(shelf: Book):
    care = busy()
    rows = shelved(shelf, at("care", care)).rows(Budgets())
    entries = rows["budget_entries"]
    assert [(one["reserved"], one["committed"]) for one in entries] == [
        (3_000, 0),
        (2_000, 0),
        (-2_000, 1_250),
        (500, 0),
        (-500, 0),
    ]
    [budget] = rows["budgets"]
    assert sum(one["reserved"] for one in entries) == budget["kept"].reserved == 3_000
    assert sum(one["committed"] for one in entries) == budget["kept"].committed == 1_250


def test_a_rebuild_gives_the_same_rows_and_so_does_folding_alone(shelf: Book):
    told = shelved(shelf, at("care", busy().when(CloseBudget())), at("sales", opened(cost_centre="sales")))
    before = told.rows(Budgets())
    told.projector().rebuild("budgets")
    assert told.rows(Budgets()) == before
    alone = fold(Budgets(), [replace(fact, position=n) for n, fact in enumerate(at("care", busy()), 1)])
    assert len(alone) == 6


def test_what_happens_to_customers_is_no_entry(shelf: Book):
    rows = shelved(shelf, reported().facts).rows(Budgets())
    assert rows == {"budgets": [], "budget_entries": []}
