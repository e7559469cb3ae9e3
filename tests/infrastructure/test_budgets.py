"""Budgets through a real writer: nobody overspends, time frees what is not taken up, and no stream is mistaken."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from domain.budgets.budget import Budget, GrantId, grant_of, reference
from domain.budgets.commands import BudgetCommand, CloseBudget, OpenBudget, RaiseBudget
from domain.budgets.drawing import budget_for, commit, reserve
from domain.errors import AlreadyExists, BudgetExhausted, UnknownRef
from domain.kinds import AMENDS, Context, Elsewhere, Event, Fact
from domain.milestones import Reference
from domain.moves.apology import Apologise
from domain.moves.gesture import GestureMade
from domain.relationship import Relationship, RelationshipCommand
from domain.values import GestureId, Money
from infrastructure.engine import writing
from infrastructure.ledger import Ledger
from infrastructure.orders import Order, Outcome
from infrastructure.recorder import read_head
from infrastructure.states import load
from infrastructure.sweeper import Sweeper
from tests.support.budgets import eur
from tests.support.writing import ANSWER_WITHIN_SECONDS, NOON, Desk, crm, desk, late

WANTED = 60
"""So many want 2.50 each; the budget has it for 40 of them."""


class Treat(RelationshipCommand):
    """Gives a customer something small, out of the budget of the day."""

    amount: Money = eur("2.50")
    hours: int | None = None
    """For how long it is good."""
    eaten: bool = False

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        budget = budget_for("care", "EUR", at)
        assert budget is not None
        gesture_id = at.new_id()
        grant_id = grant_of(state.customer_id, gesture_id)
        expires_at = None if self.hours is None else at.recorded_at + timedelta(hours=self.hours)
        drawn = (
            commit(budget, grant_id, self.amount)
            if self.eaten
            else reserve(budget, grant_id, self.amount, expires_at)
        )
        return [GestureMade(gesture_id=GestureId(gesture_id), kind="surprise", degree=1), *drawn]


def by_name(command: OpenBudget) -> Reference:
    kind, value = command.reference
    return Reference.model_construct(kind=kind, value=value)


def open_budget(amends: Desk, **fields: object) -> UUID:
    """The stream of a new budget of 100.00 for the day on which these tests happen."""
    usual = {"cost_centre": "care", "period": "2026-03", "limit": eur("100.00")}
    command = OpenBudget.model_validate(usual | fields)
    return amends.post(command, by_name(command)).customer_id


def state_of(amends: Desk, budget: UUID) -> Budget:
    """The budget as its events alone make it."""
    with writing(amends.engine) as conn:
        return load(conn, amends.mapper, "main", [budget], Budget)[budget]


def told(amends: Desk, stream: UUID) -> list[Fact]:
    return list(Ledger(amends.engine, amends.mapper, "main").stream(stream))


def head(amends: Desk) -> int:
    with amends.engine.connect() as conn:
        return read_head(conn, "main").position


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Desk]:
    with desk(database, tmp_path) as made:
        yield made


def test_s3_8_many_who_want_more_than_there_is_at_once_get_exactly_what_there_is(
    database: str, tmp_path: Path
) -> None:
    with ExitStack() as open_desks:
        one, two = (open_desks.enter_context(desk(database, tmp_path)) for _ in range(2))
        budget = open_budget(one)
        customers = [one.post(late(), crm(f"C-{n}")).customer_id for n in range(10)]

        def treat(n: int) -> Outcome | BaseException:
            place = (one, two)[n % 2]
            order = place.order(Treat(eaten=n % 3 == 0), customers[n % 10])
            future = place.writer.submit(order)
            return future.exception(ANSWER_WITHIN_SECONDS) or future.result()

        with ThreadPoolExecutor(20) as callers:
            answers = list(callers.map(treat, range(WANTED)))
        refused = [one for one in answers if isinstance(one, BudgetExhausted)]
        given = [one for one in answers if isinstance(one, Outcome)]
        assert (len(given), len(refused)) == (40, 20)
        state = state_of(one, budget)
    assert state.reserved + state.committed == state.limit == 10_000
    assert state.left == 0


def test_who_is_refused_is_given_nothing_and_nothing_is_recorded(amends: Desk) -> None:
    open_budget(amends, limit=eur("2.00"))
    customer = amends.post(late(), crm("C-1042")).customer_id
    before = head(amends)
    with pytest.raises(BudgetExhausted):
        amends.post(Treat(), customer)
    assert head(amends) == before


def test_the_customer_and_the_budget_are_written_together(amends: Desk) -> None:
    budget = open_budget(amends)
    customer = amends.post(late(), crm("C-1042")).customer_id
    outcome = amends.post(Treat(), customer)
    assert [(one.stream, one.topic) for one in outcome.receipts] == [
        (customer, "gesture.made"),
        (budget, "compensation.reserved"),
    ]
    assert outcome.receipts[1].position == outcome.receipts[0].position + 1
    assert [fact.event.TOPIC for fact in told(amends, budget)] == ["budget.opened", "compensation.reserved"]


def test_the_same_again_draws_once(amends: Desk) -> None:
    budget = open_budget(amends)
    customer = amends.post(late(), crm("C-1042")).customer_id
    first, again = (amends.post(Treat(), customer, key="treat", said="once") for _ in range(2))
    assert again.replayed
    assert (again.receipts, again.version) == (first.receipts, first.version)
    assert state_of(amends, budget).reserved == 250


def test_d5_what_was_not_taken_up_is_there_for_the_next_at_once(amends: Desk) -> None:
    budget = open_budget(amends, limit=eur("2.50"))
    customer = amends.post(late(), crm("C-1042")).customer_id
    amends.post(Treat(hours=2), customer)
    amends.clock.forward(hours=1)
    with pytest.raises(BudgetExhausted):
        amends.post(Treat(), customer)
    amends.clock.forward(hours=1)
    outcome = amends.post(Treat(), customer)
    assert [one.topic for one in outcome.receipts] == ["gesture.made", "compensation.reserved"]
    released = told(amends, budget)[2]
    assert (released.event.TOPIC, released.event.reason) == ("reservation.released", "expired")
    assert (released.occurred_at, released.actor) == (NOON + timedelta(hours=2), AMENDS)
    assert state_of(amends, budget).reserved == 250


def test_d5_a_command_on_the_budget_settles_it_first(amends: Desk) -> None:
    budget = open_budget(amends)
    customer = amends.post(late(), crm("C-1042")).customer_id
    amends.post(Treat(hours=2), customer)
    amends.clock.forward(hours=3)
    outcome = amends.post(RaiseBudget(limit=eur("150.00")), budget)
    assert [one.topic for one in outcome.receipts] == ["budget.raised"]
    assert [fact.event.TOPIC for fact in told(amends, budget)][2:] == ["reservation.released", "budget.raised"]


def test_d5_the_sweeper_frees_what_nobody_asks_for(amends: Desk) -> None:
    budget = open_budget(amends)
    customer = amends.post(late(), crm("C-1042")).customer_id
    amends.post(Treat(hours=2), customer)

    def due(now: datetime, limit: int) -> list[UUID]:
        next_due_at = state_of(amends, budget).next_due_at
        return [budget] if next_due_at is not None and next_due_at <= now else []

    sweeper = Sweeper(lambda now, limit: [], amends.writer.submit, amends.clock, others=[(Budget, due)])
    assert sweeper.run_once() == 0
    amends.clock.forward(hours=2)
    assert sweeper.run_once() == 1
    assert sweeper.run_once() == 0
    assert told(amends, budget)[-1].occurred_at == NOON + timedelta(hours=2)
    assert state_of(amends, budget).left == 10_000


def test_two_budgets_of_one_name_cannot_be_opened_even_at_the_same_time(amends: Desk) -> None:
    def opening(n: int) -> UUID | BaseException:
        command = OpenBudget(cost_centre="care", period="2026", limit=eur("100.00"))
        future = amends.writer.submit(amends.order(command, by_name(command)))
        return future.exception(ANSWER_WITHIN_SECONDS) or future.result().customer_id

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(opening, range(8)))
    assert len([one for one in answers if isinstance(one, UUID)]) == 1
    assert len([one for one in answers if isinstance(one, AlreadyExists)]) == 7


def test_a_budget_is_found_by_its_name_in_another_process_too(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path) as one:
        budget = open_budget(one)
    with desk(database, tmp_path) as two:
        customer = two.post(late(), crm("C-1042")).customer_id
        assert two.post(Treat(), customer).receipts[1].stream == budget


# No stream is taken for what it is not.

ON_BUDGETS: list[Callable[[], BudgetCommand]] = [lambda: RaiseBudget(limit=eur("150.00")), CloseBudget]


def refuses_as_unknown(amends: Desk, order: Order, what: str) -> None:
    """Asserts that the order is answered like one about nothing at all, and that nothing is recorded."""
    before = head(amends)
    with pytest.raises(UnknownRef) as caught:
        amends.writer.submit(order).result(ANSWER_WITHIN_SECONDS)
    assert caught.value.what == what
    assert head(amends) == before


def test_a_customers_command_never_touches_a_budget(amends: Desk) -> None:
    budget = open_budget(amends)
    for command in (Apologise(said="regret"), late()):
        refuses_as_unknown(amends, amends.order(command, budget), "customer")
    # And who knows better is served as if nobody had erred.
    assert amends.post(RaiseBudget(limit=eur("150.00")), budget).version == 2


@pytest.mark.parametrize("command", ON_BUDGETS)
def test_a_command_on_a_budget_never_touches_a_customer(
    amends: Desk, command: Callable[[], BudgetCommand]
) -> None:
    customer = amends.post(late(), crm("C-1042")).customer_id
    refuses_as_unknown(amends, amends.order(command(), customer), "budget")
    assert amends.post(Apologise(said="regret"), customer).receipts


@pytest.mark.parametrize("command", ON_BUDGETS)
def test_a_budget_that_nobody_opened_is_unknown(amends: Desk, command: Callable[[], BudgetCommand]) -> None:
    refuses_as_unknown(amends, amends.order(command(), uuid4()), "budget")


def test_who_takes_one_for_the_other_stands_in_nobodys_way_in_the_same_page(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path) as first:
        budget = open_budget(first)
        customer = first.post(late(), crm("C-1042")).customer_id
    with desk(database, tmp_path, start=False) as amends:
        wrong = [amends.order(Apologise(said="regret"), budget), amends.order(CloseBudget(), customer)]
        right = [amends.order(Treat(), customer), amends.order(RaiseBudget(limit=eur("150.00")), budget)]
        answers = [amends.writer.submit(one) for one in (wrong[0], right[0], wrong[1], right[1])]
        amends.writer.start()
        told = [one.exception(ANSWER_WITHIN_SECONDS) for one in answers]
    assert [type(one) for one in told] == [UnknownRef, type(None), UnknownRef, type(None)]


def test_an_order_that_only_settles_knows_a_budget_from_a_customer(amends: Desk) -> None:
    budget = open_budget(amends)
    refuses_as_unknown(amends, amends.order(None, budget), "customer")
    settling = Order(command=None, stream=budget, actor=AMENDS, source="amends:duties", settling=Budget)
    assert amends.writer.submit(settling).result(ANSWER_WITHIN_SECONDS).receipts == ()


def test_no_reference_of_a_customer_leads_to_a_budget() -> None:
    kind, value = reference("care", "EUR", "2026")
    with pytest.raises(ValueError, match="kind"):
        Reference(kind=kind, value=value)


def test_a_long_budget_is_kept_in_snapshots_and_is_the_same_from_them(amends: Desk) -> None:
    budget = open_budget(amends)
    customer = amends.post(late(), crm("C-1042")).customer_id
    for n in range(45):
        amends.post(Treat(amount=eur("1.00"), eaten=n % 2 == 0), customer)
    state = Budget.begun(budget)
    for fact in told(amends, budget):
        state = state.after(fact)
    assert state_of(amends, budget) == state
    assert all(isinstance(one, UUID) for one in state.reservations)
    assert GrantId(next(iter(state.reservations)))
