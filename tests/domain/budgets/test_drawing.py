"""Drawing on a budget: what is set aside, spent and let go never comes to more than there is (B-1)."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.budgets.budget import Budget, GrantId, grant_of
from domain.budgets.commands import CloseBudget, RaiseBudget
from domain.budgets.drawing import budget_for, candidates, commit, expired, release, reserve, take_back
from domain.errors import BudgetExhausted
from domain.kinds import AMENDS, Context, S
from domain.values import Money
from tests.support.budgets import AUTUMN, Purse, eur, grant, opened
from tests.support.given import named_id, refused

USD = Money.model_validate({"amount": "5.00", "currency": "USD"})
CHRISTMAS = datetime(2026, 12, 24, 18, 0, tzinfo=UTC)


def test_what_is_set_aside_is_no_longer_left():
    care = opened()
    care.then(reserve(care.state, grant("voucher"), eur("30.00"), CHRISTMAS))
    assert care.topics() == ["compensation.reserved"]
    assert (care.state.reserved, care.state.committed, care.state.left) == (3_000, 0, 7_000)


def test_s3_8_more_than_is_left_is_refused_and_told_what_is_left():
    care = opened()
    care.then(reserve(care.state, grant("voucher"), eur("80.00"), None))
    with refused(
        "budget_exhausted",
        budget_id=str(care.state.stream_id),
        asked={"amount": "20.01", "currency": "EUR"},
        left={"amount": "20.00", "currency": "EUR"},
    ):
        reserve(care.state, grant("another"), eur("20.01"), None)
    assert care.then(reserve(care.state, grant("another"), eur("20.00"), None)).state.left == 0


def test_a_grant_is_set_aside_once_however_often_it_is_asked_for():
    care = opened()
    care.then(reserve(care.state, grant("voucher"), eur("80.00"), None))
    assert reserve(care.state, grant("voucher"), eur("80.00"), None) == []


def test_two_customers_may_be_given_things_of_the_same_id_and_both_are_paid_for():
    care, chosen = opened(), named_id("voucher")
    for customer in (named_id("one customer"), named_id("another")):
        care.then(reserve(care.state, grant_of(customer, chosen), eur("30.00"), None))
    assert care.state.reserved == 6_000


def test_s3_19_a_starter_is_held_until_it_is_eaten():
    care = opened()
    care.then(reserve(care.state, grant("starter"), eur("2.50"), CHRISTMAS))
    assert (care.state.reserved, care.state.left) == (250, 9_750)
    care.then(commit(care.state, grant("starter"), eur("2.50")))
    assert care.topics() == ["compensation.committed"]
    assert (care.state.reserved, care.state.committed, care.state.left) == (0, 250, 9_750)


def test_what_cost_less_than_was_set_aside_frees_the_rest():
    care = opened()
    care.then(reserve(care.state, grant("taxi"), eur("30.00"), None))
    care.then(commit(care.state, grant("taxi"), eur("18.40")))
    assert (care.state.reserved, care.state.committed, care.state.left) == (0, 1_840, 8_160)


def test_what_is_handed_over_without_or_beyond_a_reservation_is_paid_of_what_is_left():
    care = opened()
    care.then(commit(care.state, grant("flowers"), eur("95.00")))
    care.then(reserve(care.state, grant("taxi"), eur("4.00"), None))
    with refused("budget_exhausted", left={"amount": "5.00", "currency": "EUR"}):
        commit(care.state, grant("taxi"), eur("5.01"))
    assert care.then(commit(care.state, grant("taxi"), eur("5.00"))).state.left == 0


def test_what_is_let_go_is_left_again_and_letting_go_twice_is_nothing():
    care = opened()
    care.then(reserve(care.state, grant("voucher"), eur("30.00"), None))
    [released] = care.then(release(care.state, grant("voucher"), "turned_down")).last
    assert (released.amount, released.reason) == (eur("30.00"), "turned_down")
    assert (care.state.reserved, care.state.left) == (0, 10_000)
    assert release(care.state, grant("voucher"), "turned_down") == []


def test_what_the_customer_gave_back_is_left_again():
    care = opened()
    care.then(commit(care.state, grant("cash"), eur("30.00")))
    [released] = care.then(take_back(care.state, grant("cash"), eur("30.00"))).last
    assert released.reason == "reversed"
    assert (care.state.committed, care.state.left) == (0, 10_000)


def test_another_currency_is_refused_whatever_is_done():
    budget = opened().state
    for draw in (
        lambda: reserve(budget, grant("voucher"), USD, None),
        lambda: commit(budget, grant("voucher"), USD),
        lambda: take_back(budget, grant("voucher"), USD),
    ):
        with refused("currency_mismatch", expected="EUR", given="USD"):
            draw()


def test_d5_what_was_not_taken_up_in_time_is_free_again_at_that_time_in_order():
    care = opened()
    for name, hours in (("late", 3), ("early", 1), ("never", None)):
        expires_at = None if hours is None else AUTUMN + timedelta(hours=hours)
        care.then(reserve(care.state, grant(name), eur("10.00"), expires_at))
    assert care.state.next_due_at == AUTUMN + timedelta(hours=1)
    assert expired(care.state, AUTUMN + timedelta(minutes=59)) == []
    due = expired(care.state, AUTUMN + timedelta(days=1))
    assert [at for at, _ in due] == [AUTUMN + timedelta(hours=1), AUTUMN + timedelta(hours=3)]
    assert [(event.grant_id, event.reason) for _, event in due] == [
        (grant("early"), "expired"),
        (grant("late"), "expired"),
    ]
    for at, event in due:
        care.then([event], at)
    assert (care.state.reserved, care.state.next_due_at) == (1_000, None)


# Which budget counts.


@dataclass
class Drawer:
    """Budgets by the reference they are found under."""

    kept: dict[tuple[str, str], Budget] = field(default_factory=dict)

    def put(self, **fields: object) -> Budget:
        budget = replace(opened(**fields).state, stream_id=named_id(str(fields)))
        self.kept["/budget", f"{budget.cost_centre}:{budget.currency}:{budget.period}"] = budget
        return budget

    def other(self, kind: type[S], stream: UUID | tuple[str, str]) -> S | None:
        assert isinstance(stream, tuple)
        found = self.kept.get(stream)
        return found if isinstance(found, kind) else None

    def at(self, moment: datetime, told: datetime | None = None) -> Context:
        return Context(
            occurred_at=moment,
            recorded_at=told or moment,
            actor=AMENDS,
            new_id=lambda: named_id("new"),
            pseudonym=lambda kind, value: named_id(value),
            other=self.other,
        )


def test_the_references_of_a_moment_begin_with_the_shortest_period():
    assert candidates("care", "EUR", datetime(2026, 11, 18, 11, 0, tzinfo=UTC)) == [
        ("/budget", "care:EUR:2026-w47"),
        ("/budget", "care:EUR:2026-11"),
        ("/budget", "care:EUR:2026-q4"),
        ("/budget", "care:EUR:2026"),
    ]


def test_the_shortest_open_period_that_fits_counts():
    drawer = Drawer()
    year, month = drawer.put(period="2026"), drawer.put(period="2026-11")
    assert budget_for("care", "EUR", drawer.at(AUTUMN)) == month
    assert budget_for("care", "EUR", drawer.at(CHRISTMAS)) == year
    drawer.kept["/budget", "care:EUR:2026-11"] = month.but(closed=True)
    assert budget_for("care", "EUR", drawer.at(AUTUMN)) == year


def test_no_budget_is_found_for_another_cost_centre_currency_or_time():
    drawer = Drawer()
    drawer.put(period="2026-11")
    assert budget_for("sales", "EUR", drawer.at(AUTUMN)) is None
    assert budget_for("care", "USD", drawer.at(AUTUMN)) is None
    assert budget_for("care", "EUR", drawer.at(CHRISTMAS)) is None


def test_at_midnight_the_budget_counts_whose_clocks_say_so():
    drawer = Drawer()
    athens = drawer.put(period="2027", timezone="Europe/Athens")
    old = drawer.put(period="2026", timezone="Europe/Athens")
    midnight = datetime(2026, 12, 31, 22, 0, tzinfo=UTC)
    assert budget_for("care", "EUR", drawer.at(midnight)) == athens
    assert budget_for("care", "EUR", drawer.at(midnight - timedelta(seconds=1))) == old


def test_t_09_what_is_told_late_draws_on_the_budget_of_the_day_it_is_told():
    drawer = Drawer()
    drawer.put(period="2026-11")
    december = drawer.put(period="2026-12")
    assert budget_for("care", "EUR", drawer.at(AUTUMN, told=CHRISTMAS)) == december


# Whatever is done in whatever order.

GRANTS = st.sampled_from([grant(name) for name in ("one", "two", "three", "four")])
AMOUNTS = st.integers(0, 6_000)
LATER = st.none() | st.integers(1, 48)
ACTS = st.one_of(
    st.tuples(st.just("reserve"), GRANTS, AMOUNTS, LATER),
    st.tuples(st.just("commit"), GRANTS, AMOUNTS, st.none()),
    st.tuples(st.just("release"), GRANTS, st.just(0), st.none()),
    st.tuples(st.just("take_back"), GRANTS, AMOUNTS, st.none()),
    st.tuples(st.just("raise"), st.none(), AMOUNTS, st.none()),
    st.tuples(st.just("time"), st.none(), st.just(0), st.integers(1, 48)),
    st.tuples(st.just("close"), st.none(), st.just(0), st.none()),
)


@dataclass
class Cashbox:
    """The same sums kept by hand, coin by coin."""

    limit: int = 10_000
    aside: dict[GrantId, int] = field(default_factory=dict)
    spent: int = 0

    @property
    def in_use(self) -> int:
        return sum(self.aside.values()) + self.spent


@given(acts=st.lists(ACTS, max_size=40))
def test_b_1_no_order_of_acts_promises_more_than_there_is_and_the_sums_are_exact(acts: list[tuple]):
    care, box, now = opened(), Cashbox(), AUTUMN
    for act, grant_id, minor, hours in acts:
        amount = care.state.money(minor)
        before = care.state
        try:
            if act == "reserve":
                expires_at = None if hours is None else now + timedelta(hours=hours)
                care.then(reserve(care.state, grant_id, amount, expires_at), now)
                box.aside.setdefault(grant_id, minor)
            elif act == "commit":
                care.then(commit(care.state, grant_id, amount), now)
                box.aside.pop(grant_id, None)
                box.spent += minor
            elif act == "release":
                care.then(release(care.state, grant_id, "withdrawn"), now)
                box.aside.pop(grant_id, None)
            elif act == "take_back":
                care.then(take_back(care.state, grant_id, amount), now)
                if box.aside.pop(grant_id, None) is None:
                    box.spent -= min(minor, box.spent)
            elif act == "raise" and minor and not care.state.closed:
                box.limit += minor
                care.when(RaiseBudget(limit=care.state.money(box.limit)), now)
            elif act == "close" and not care.state.closed:
                care.when(CloseBudget(), now)
            elif act == "time":
                now += timedelta(hours=hours)
                for at, event in expired(care.state, now):
                    care.then([event], at)
                    del box.aside[event.grant_id]
        except BudgetExhausted:
            assert care.state == before
            held = box.aside.get(grant_id, 0) if act == "commit" else 0
            assert care.state.closed or box.in_use - held + minor > box.limit
        assert (care.state.limit, care.state.reserved, care.state.committed) == (
            box.limit,
            sum(box.aside.values()),
            box.spent,
        )
        assert care.state.reserved + care.state.committed <= care.state.limit
    assert care.folded() == care.state


@given(steps=st.lists(st.integers(1, 30), min_size=1, max_size=10), ends=st.lists(st.integers(1, 100), max_size=8))
def test_however_often_the_clock_is_looked_at_the_same_is_free_at_the_same_times(
    steps: list[int], ends: list[int]
):
    def kept() -> Purse:
        care = opened()
        for n, hours in enumerate(ends):
            at = AUTUMN + timedelta(hours=hours)
            care.then(reserve(care.state, grant(f"grant {n}"), eur("5.00"), at))
        return care

    until = AUTUMN + timedelta(hours=sum(steps))
    once, often = expired(kept().state, until), []
    care, now = kept(), AUTUMN
    for hours in steps:
        now += timedelta(hours=hours)
        due = expired(care.state, now)
        for at, event in due:
            care.then([event], at)
        often += due
    assert once == often
