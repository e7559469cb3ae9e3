"""Compensation spend: what was given beyond what was owed, equal to the budgets it came from."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.budgets.budget import Budget, GrantId, grant_of
from domain.budgets.drawing import commit, release, reserve, take_back
from domain.errors import BudgetExhausted
from domain.granting.events import CompensationDelivered, CompensationGranted
from domain.kinds import Fact
from domain.moves.compensation import CompensationReversed
from domain.moves.invitation import ReturnInvitationIssued
from domain.values import CompensationId, InvitationId, Money, RecoveryId
from infrastructure.ledger import Ledger
from projections import compensation_spend
from projections.base import fold
from projections.budgets import Budgets
from projections.compensation_spend import SpendReport
from projections.period import Period
from tests.support.budgets import Purse, eur, opened
from tests.support.given import START, Story, named_id, story
from tests.support.ledgers import Book, in_order
from tests.support.reporting import minute
from tests.support.stories import PLUMS, reported

EVERYTHING = Period(None, None, START + timedelta(days=365))
SPRING = {"period": "2026", "limit": eur("1000.00")}


def granted(
    name: str, kind: str = "voucher", basis: str = "goodwill", cost: Money | None = None
) -> CompensationGranted:
    return CompensationGranted(
        recovery_id=RecoveryId(PLUMS),
        compensation_id=CompensationId(named_id(name)),
        kind=kind,
        basis=basis,
        cost=cost,
    )


def delivered(name: str) -> CompensationDelivered:
    return CompensationDelivered(recovery_id=RecoveryId(PLUMS), compensation_id=CompensationId(named_id(name)))


def reversed_(name: str) -> CompensationReversed:
    return CompensationReversed(
        recovery_id=RecoveryId(PLUMS), compensation_id=CompensationId(named_id(name)), reason="Given twice."
    )


def of(customer: int, name: str) -> GrantId:
    """What a customer was given, as budgets name it."""
    return grant_of(named_id(f"customer {customer}"), named_id(name))


def shelved(shelf: Book, tales: Sequence[Story] = (), purses: Sequence[Purse] = ()) -> Book:
    """The shelf with what these customers and budgets went through, read models caught up."""
    streams = {f"customer {n}": tale.facts for n, tale in enumerate(tales)}
    streams |= {f"budget {n}": purse.facts for n, purse in enumerate(purses)}
    facts = [
        replace(fact, stream_id=named_id(name), event_id=named_id(f"{name} {fact.version}"))
        for name, some in streams.items()
        for fact in some
    ]
    shelf.record(in_order(sorted(facts, key=lambda fact: fact.recorded_at)))
    shelf.projector().catch_up()
    return shelf


def report(shelf: Book, period: Period = EVERYTHING) -> SpendReport:
    with shelf.source() as source:
        return compensation_spend.report(source, period)


def lines(found: SpendReport) -> list[tuple[Any, ...]]:
    return [
        (one.basis, one.kind, one.cost_centre, one.n, one.spent and one.spent.amount, one.open and one.open.amount)
        for one in found.lines
    ]


def totals(found: list[compensation_spend.Total]) -> dict[str | None, tuple[int, str | None, str | None]]:
    return {one.name: (one.n, one.spent and one.spent.amount, one.open and one.open.amount) for one in found}


def test_statutory_and_contractual_have_lines_of_their_own_and_draw_on_no_budget(shelf: Book):
    care = opened(**SPRING)
    care.then(reserve(care.state, of(0, "goodwill"), eur("10.00"), None), minute(1))
    tale = reported().given(granted("goodwill", cost=eur("10.00")), at=1)
    tale.given(granted("law", "cash", "statutory", eur("250.00")), delivered("law"), at=2)
    tale.given(granted("contract", "credit", "contractual", eur("40.00")), at=3)
    found = report(shelved(shelf, [tale], [care]))
    assert lines(found) == [
        ("contractual", "credit", None, 1, "0.00", "40.00"),
        ("goodwill", "voucher", "care", 1, "0.00", "10.00"),
        ("statutory", "cash", None, 1, "250.00", "0.00"),
    ]
    assert totals(found.by_basis)["statutory"] == (1, "250.00", "0.00")
    assert totals(found.by_cost_centre) == {None: (2, "250.00", "40.00"), "care": (1, "0.00", "10.00")}


def test_what_came_to_nothing_costs_nothing(shelf: Book):
    tale = reported().given(granted("one", cost=eur("5.00")), delivered("one"), reversed_("one"), at=1)
    tale.given(granted("two", cost=eur("7.00")), reversed_("two"), at=2)
    assert lines(report(shelved(shelf, [tale]))) == [("goodwill", "voucher", None, 2, "0.00", "0.00")]


def test_what_nobody_put_a_price_on_is_counted_and_not_summed(shelf: Book):
    found = report(shelved(shelf, [reported().given(granted("one"), delivered("one"), at=1)]))
    assert lines(found) == [("goodwill", "voucher", None, 1, None, None)]
    assert (found.n, found.without_amount) == (1, 1)


def test_what_has_a_price_is_not_without_an_amount(shelf: Book):
    tale = reported().given(granted("one", cost=eur("5.00")), granted("two", "upgrade"), at=1)
    found = report(shelved(shelf, [tale]))
    assert (found.n, found.without_amount) == (2, 1)


def test_currencies_are_never_added_up(shelf: Book):
    dollars = Money.model_validate({"amount": "3.00", "currency": "USD"})
    tale = reported().given(granted("one", cost=dollars), granted("two", cost=eur("5.00")), at=1)
    found = report(shelved(shelf, [tale]))
    assert [(one.currency, one.open and one.open.amount) for one in found.by_kind] == [
        ("EUR", "5.00"),
        ("USD", "3.00"),
    ]


def test_s3_19_an_invitation_is_open_until_it_is_redeemed(shelf: Book):
    care = opened(**SPRING)
    care.then(reserve(care.state, of(0, "starter"), eur("2.50"), None), minute(1))
    invited = ReturnInvitationIssued(
        recovery_id=RecoveryId(PLUMS),
        invitation_id=InvitationId(named_id("starter")),
        what="starter",
        cost=eur("2.50"),
        valid_until=datetime(2026, 6, 1, tzinfo=UTC),
    )
    tale = reported().given(invited, at=1)
    care.then(commit(care.state, of(0, "starter"), eur("2.50")), minute(60))
    told = shelved(shelf, [tale], [care])
    assert lines(report(told, Period(None, None, minute(59)))) == [
        ("goodwill", "invitation", "care", 1, "0.00", "2.50")
    ]
    assert lines(report(told)) == [("goodwill", "invitation", "care", 1, "2.50", "0.00")]


def test_a_period_goes_by_when_it_was_granted(shelf: Book):
    care = opened(**SPRING)
    for n, name in enumerate(("early", "late")):
        care.then(reserve(care.state, of(0, name), eur("10.00"), None), minute(10 + 10 * n))
    care.then(commit(care.state, of(0, "early"), eur("10.00")), minute(25))
    tale = reported().given(granted("early"), at=10).given(granted("late"), at=20)
    told = shelved(shelf, [tale], [care])
    assert lines(report(told, Period(None, minute(15), minute(30)))) == [
        ("goodwill", "voucher", "care", 1, "10.00", "0.00")
    ]
    assert lines(report(told, Period(minute(15), None, minute(30)))) == [
        ("goodwill", "voucher", "care", 1, "0.00", "10.00")
    ]


def test_of_nothing_it_tells_nothing(shelf: Book):
    found = report(shelved(shelf, [reported()]))
    assert (found.n, found.lines, found.by_basis, found.by_cost_centre) == (0, [], [], [])


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "commit", "release", "take_back"]), st.integers(0, 5), st.integers(1, 9_000)
    ),
    max_size=25,
)


@given(care=ACTS, sales=ACTS)
def test_the_lines_of_a_cost_centre_are_its_budgets_whatever_was_done(care: list[Any], sales: list[Any]):
    """Without a database: the entries of every budget add up, grant by grant, to the budget itself."""
    for name, acts in (("care", care), ("sales", sales)):
        purse = drawn(opened(cost_centre=name, **SPRING), acts)
        rows = fold(Budgets(), [replace(fact, position=n) for n, fact in enumerate(purse.facts, 1)])
        entries = [row for key, row in rows.items() if key[0] == "budget_entries"]
        assert sum(one["reserved"] for one in entries) == purse.state.reserved
        assert sum(one["committed"] for one in entries) == purse.state.committed
        for grant_id, reservation in purse.state.reservations.items():
            assert sum(one["reserved"] for one in entries if one["grant_id"] == grant_id) == reservation.amount


def test_the_report_equals_the_budget_streams(shelf: Book):
    acts = [(act, n % 6, 100 * n + 50) for n, act in enumerate(["reserve", "commit", "reserve", "release"] * 9)]
    purses = [
        drawn(opened(cost_centre="care", **SPRING), acts),
        drawn(opened(cost_centre="care", period="2026-q1", limit=eur("500.00")), acts[:20]),
        drawn(opened(cost_centre="sales", **SPRING), acts[7:]),
    ]
    told = shelved(shelf, [story()], purses)
    budgets = {n: folded(told, n) for n in range(3)}
    found = {one.name: one for one in report(told).by_cost_centre}
    for name, streams in (("care", (0, 1)), ("sales", (2,))):
        spent, held = found[name].spent, found[name].open
        assert spent is not None
        assert held is not None
        assert eur(spent.amount).minor == sum(budgets[n].committed for n in streams) > 0
        assert eur(held.amount).minor == sum(budgets[n].reserved for n in streams) > 0


def drawn(purse: Purse, acts: Sequence[tuple[str, int, int]]) -> Purse:
    """The purse after these acts; what it cannot pay is left out."""
    for minutes, (act, n, minor) in enumerate(acts):
        grant_id, amount = of(0, f"grant {n}"), purse.state.money(minor)
        try:
            if act == "reserve":
                done = reserve(purse.state, grant_id, amount, None)
            elif act == "commit":
                done = commit(purse.state, grant_id, amount)
            elif act == "release":
                done = release(purse.state, grant_id, "withdrawn")
            else:
                done = take_back(purse.state, grant_id, amount)
        except BudgetExhausted:
            continue
        purse.then(done, minute(minutes))
    return purse


def folded(shelf: Book, n: int) -> Budget:
    """A budget as the ledger itself tells it."""
    facts: Sequence[Fact] = Ledger(shelf.engine, shelf.mapper, shelf.mapper.ledger).stream(named_id(f"budget {n}"))
    state = Budget.begun(named_id(f"budget {n}"))
    for fact in facts:
        state = state.after(fact)
    return state
