"""Money from outside: two texts and nothing else, in one form; what is stored is read as it always was."""

from typing import Any

import pytest
from pydantic import ValidationError

from api.envelope import parsed
from domain.moves.relationship import DeclareValue
from domain.values import Money
from tests.api.test_places import RULE, authority, refused_at
from tests.support.http import Service

EUR = {"currency": "EUR"}


@pytest.mark.parametrize(
    "amount",
    ["1.", ".5", "-0", "-1", "+1", "1e3", "1,5", "", " 1", "1 ", "٣", "1.5.0", "x"]
    + ["12.505", "9" * 16, "9" * 17, 12.5, None, True],
)
def test_an_amount_that_is_not_plain_is_refused_where_it_stands(shared: Service, amount: Any):
    asked = {"amount": EUR | {"amount": amount}, "per": "day"}
    assert refused_at(shared, "declare-value", asked) == ["/amount/amount"]


@pytest.mark.parametrize("currency", ["ABC", "XXX", "eur", "EURO", "", 978, None, [], {}])
def test_a_currency_that_nobody_has_is_refused_where_it_stands(shared: Service, currency: Any):
    asked = {"amount": {"amount": "1.00", "currency": currency}, "per": "day"}
    assert refused_at(shared, "declare-value", asked) == ["/amount/currency"]


@pytest.mark.parametrize("currency", ["BYR", "MRO"])
def test_a_currency_that_was_in_use_not_long_ago_is_taken(currency: str):
    told = parsed(DeclareValue, {"amount": {"amount": "1500", "currency": currency}, "per": "day"})
    assert told.amount == Money(minor=150_000, currency=currency)


@pytest.mark.parametrize(
    ("money", "places"),
    [
        (EUR | {"minor": 1250}, {"/amount/amount", "/amount/minor"}),
        ({"amount": "12.50"}, {"/amount/currency"}),
        ({}, {"/amount/amount", "/amount/currency"}),
        (EUR | {"amount": "-1"}, {"/amount/amount"}),
        ({"amount": "-1", "currency": "ABC"}, {"/amount/amount", "/amount/currency"}),
        (EUR | {"amount": "1.00", "minor": 100}, {"/amount/minor"}),
        ("12.50 EUR", {"/amount"}),
        (12.5, {"/amount"}),
    ],
)
def test_money_is_told_in_one_form_only(shared: Service, money: Any, places: set[str]):
    assert set(refused_at(shared, "declare-value", {"amount": money, "per": "day"})) == places


def test_money_within_other_things_is_no_exception(shared: Service):
    inside = EUR | {"minor": 500}
    remedy = {"apology": {"said": "regret"}, "remedy": {"remedy_kind": "refund"}}
    asked = remedy | {"compensation": {"kind": "voucher", "cost": inside}}
    assert refused_at(shared, "instant-remedy", asked) == ["/compensation/cost/amount", "/compensation/cost/minor"]
    places = refused_at(shared, "/v1/standards", authority(RULE | {"per_grant": inside}))
    assert places == ["/body/rules/0/per_grant/amount", "/body/rules/0/per_grant/minor"]
    [place] = shared.get(
        f"/v1/authority/check?customer_id={shared.customer()}&kind=voucher&amount=1.", status=422
    )["errors"]
    assert place["pointer"] == "/amount"


@pytest.mark.parametrize(("amount", "minor"), [("12.50", 1250), ("12.5", 1250), ("12", 1200), ("0", 0)])
def test_plain_amounts_are_taken_as_before(amount: str, minor: int):
    told = parsed(DeclareValue, {"amount": EUR | {"amount": amount}, "per": "day"})
    assert told.amount == Money(minor=minor, currency="EUR")


@pytest.mark.parametrize("stored", [{"minor": 100}, {"amount": "1."}, {"amount": "1.00"}])
def test_what_is_stored_is_read_as_it_always_was(stored: dict[str, Any]):
    assert Money.model_validate(stored | {"currency": "ABC"}) == Money(minor=100, currency="ABC")


def test_what_was_never_stored_is_not_read_either():
    with pytest.raises(ValidationError):
        Money.model_validate(EUR | {"minor": -100})
