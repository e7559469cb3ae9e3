"""What the house decides about a budget: to open one, to raise it, to close it."""

import pytest
from pydantic import ValidationError

from domain.budgets.budget import Budget
from domain.budgets.commands import CloseBudget, RaiseBudget
from domain.budgets.drawing import commit, release, reserve
from domain.budgets.events import BudgetClosed, BudgetOpened, BudgetRaised
from domain.milestones import Reference
from domain.relationship import Relationship, evolve
from domain.values import Money
from tests.support.budgets import eur, grant, opened, opening
from tests.support.given import refused
from tests.support.stories import reported

USD = Money.model_validate({"amount": "5.00", "currency": "USD"})


def test_a_budget_is_opened_with_its_limit_and_warns_at_eighty_percent():
    [event] = opened().last
    assert event == BudgetOpened(
        cost_centre="care", currency="EUR", period="2026-q4", timezone="UTC", limit=eur("100.00"), warn_at_pct=80
    )
    budget = opened().state
    assert (budget.limit, budget.reserved, budget.committed, budget.left) == (10_000, 0, 0, 10_000)


def test_it_is_found_under_a_reference_that_no_caller_can_write():
    [event] = opened().last
    [(kind, value)] = event.links()
    assert (kind, value) == ("/budget", "care:EUR:2026-q4")
    assert opening().reference == (kind, value)
    with pytest.raises(ValidationError):
        Reference(kind=kind, value=value)


def test_one_cost_centre_has_one_budget_for_one_period_and_currency():
    care = opened()
    with refused("already_exists", what="budget", ref=str(care.state.stream_id)):
        care.when(opening())


def test_a_budget_of_nothing_is_refused():
    with refused("invalid_value", field="limit"):
        opened(limit=eur("0.00"))


@pytest.mark.parametrize(
    "wrong", [{"period": "soon"}, {"timezone": "Atlantis"}, {"warn_at_pct": 0}, {"cost_centre": "A B"}]
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        opening(**wrong)


def test_raising_gives_the_new_limit_in_all():
    care = opened().when(RaiseBudget(limit=eur("150.00")))
    assert care.last == [BudgetRaised(limit=eur("150.00"))]
    assert care.state.left == 15_000


@pytest.mark.parametrize("limit", ["100.00", "99.99"])
def test_a_limit_is_never_lowered_since_what_was_promised_stays_promised(limit: str):
    with refused("invalid_value", field="limit"):
        opened().when(RaiseBudget(limit=eur(limit)))


def test_another_currency_is_refused():
    with refused("currency_mismatch", expected="EUR", given="USD"):
        opened().when(RaiseBudget(limit=USD))


def test_a_closed_budget_promises_nothing_more_but_pays_what_it_promised():
    care = opened()
    care.then(reserve(care.state, grant("starter"), eur("2.50"), None))
    care.then(reserve(care.state, grant("voucher"), eur("10.00"), None))
    assert care.when(CloseBudget()).last == [BudgetClosed()]
    with refused("budget_exhausted", left={"amount": "0.00", "currency": "EUR"}):
        reserve(care.state, grant("another"), eur("0.01"), None)
    care.then(commit(care.state, grant("starter"), eur("2.50")))
    care.then(release(care.state, grant("voucher"), "turned_down"))
    assert (care.state.reserved, care.state.committed) == (0, 250)


@pytest.mark.parametrize("command", [RaiseBudget(limit=eur("200.00")), CloseBudget()])
def test_what_is_closed_stays_closed(command: RaiseBudget | CloseBudget):
    with refused("already_ended", what="budget", how="closed"):
        opened().when(CloseBudget()).when(command)


def test_a_stream_that_holds_a_customer_is_no_budget_and_the_other_way_round():
    [told] = reported().facts[:1]
    assert Budget.begun(told.stream_id).after(told).strange
    assert evolve(Relationship(opened().facts[0].stream_id), opened().facts[0]).strange
