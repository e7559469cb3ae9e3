"""Authority: what each role may give, and who can say yes to more."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.standards.authority import AUTHORITY, Asked, Asker, Authority, most_generous, who_can, with_approval
from domain.standards.document import Standard
from domain.values import Money

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def money(amount: str, currency: str = "EUR") -> Money:
    return Money.model_validate({"amount": amount, "currency": currency})


def rule(rule_id: str, per_grant: str = "10.00", **more: Any) -> dict[str, Any]:
    given = {"rule_id": rule_id, "per_grant": eur(per_grant)}
    return given | ({} if {"roles", "role_classes"} & more.keys() else {"role_classes": ["front"]}) | more


def house(*rules: dict[str, Any]) -> list[Standard[Authority]]:
    return [Standard[Authority](name="ours", version=3, body=Authority.model_validate({"rules": rules}))]


def decides(documents: list[Standard[Authority]], asker: Asker, asked: Asked | None = None) -> str | None:
    found = most_generous(documents, asker, asked or Asked())
    return found.rule.rule_id if found else None


@pytest.mark.parametrize("role_class", ["front", "back"])
def test_front_and_back_may_give_fifty_at_once_a_hundred_to_one_customer_and_ask_for_more(role_class: str):
    alone = most_generous([AUTHORITY], Asker(role_class=role_class))
    assert alone is not None
    assert (alone.standard, alone.version) == ("authority:shipped", 1)
    assert alone.rule.per_grant == money("50.00")
    assert alone.rule.per_colleague_day == money("150.00")
    assert alone.rule.per_customer is not None
    assert (alone.rule.per_customer.limit, alone.rule.per_customer.period) == (money("100.00"), timedelta(days=90))
    more = with_approval([AUTHORITY], Asker(role_class=role_class))
    assert more is not None
    assert (more.rule.approval, more.rule.max_wait) == ("manager", timedelta(minutes=15))
    assert more.rule.on_timeout is not None
    assert more.rule.on_timeout.grant_up_to == money("25.00")


def test_a_manager_may_give_five_hundred_and_a_service_by_itself_what_the_front_line_may():
    found = most_generous([AUTHORITY], Asker(role_class="manager"))
    assert found is not None
    assert found.rule.per_grant == money("500.00")
    service = most_generous([AUTHORITY], Asker(role_class="system"))
    assert service is not None
    assert (service.rule.per_grant, service.rule.per_colleague_day) == (money("50.00"), None)


def test_of_all_rules_that_match_the_most_generous_decides():
    ours = house(rule("small", "10.00"), rule("large", "30.00"), rule("for-cooks", "90.00", roles=["cook"]))
    assert decides(ours, Asker(role="waiter")) == "large"
    assert decides(ours, Asker(role="cook")) == "for-cooks"
    assert decides(ours, Asker(role="cook", role_class="back")) == "for-cooks"


def test_of_two_that_give_as_much_at_once_the_one_with_the_higher_limits_decides_then_the_name():
    limit = {"per_customer": {"limit": eur("40.00"), "period": "P30D"}}
    assert decides(house(rule("free"), rule("limited", **limit)), Asker()) == "free"
    assert decides(house(rule("a"), rule("b")), Asker()) == decides(house(rule("b"), rule("a")), Asker())


def test_what_needs_training_counts_for_those_who_were_trained():
    ours = house(rule("plain", "10.00"), rule("trained", "80.00", requires_training=["listening", "law"]))
    assert decides(ours, Asker(training=frozenset({"listening"}))) == "plain"
    assert decides(ours, Asker(training=frozenset({"listening", "law", "more"}))) == "trained"


def test_a_rule_speaks_of_its_kinds_bases_and_currency_only():
    ours = house(
        rule("vouchers", "80.00", kinds=["voucher"]),
        rule("by-law", "900.00", bases=["statutory"]),
        rule("all", "20.00"),
    )
    assert decides(ours, Asker(), Asked(kind="voucher")) == "vouchers"
    assert decides(ours, Asker(), Asked(kind="cash")) == "all"
    assert decides(ours, Asker(), Asked(basis="statutory")) == "by-law"
    assert decides(ours, Asker(), Asked(currency="PLN")) is None


def test_what_needs_a_yes_never_stands_in_the_way_of_what_does_not():
    ours = house(rule("alone", "20.00"), rule("asked", "200.00", **approved()))
    assert decides(ours, Asker()) == "alone"


def test_several_documents_count_together():
    ours = [*house(rule("ours", "70.00")), AUTHORITY]
    found = most_generous(ours, Asker())
    assert found is not None
    assert (found.standard, found.version, found.rule.rule_id) == ("authority:ours", 3, "ours")


def test_who_can_give_more_is_named():
    assert who_can([AUTHORITY], money("50.00")) == ["back", "front", "manager"]
    assert who_can([AUTHORITY], money("50.01")) == ["manager"]
    assert who_can([AUTHORITY], money("500.01")) == []
    assert who_can([AUTHORITY], money("1.00", "PLN")) == []


def test_what_is_left_for_a_customer_is_what_he_did_not_get_and_at_most_one_grant():
    alone = AUTHORITY.body.rules[0]
    left = {given: alone.left(given).minor for given in (0, 40_00, 60_00, 99_99, 100_00, 130_00)}
    assert left == {0: 50_00, 40_00: 50_00, 60_00: 40_00, 99_99: 1, 100_00: 0, 130_00: 0}
    assert alone.counts_from(NOW) == NOW - timedelta(days=90)
    assert AUTHORITY.body.rules[2].left(10**9).minor == 500_00


def approved() -> dict[str, Any]:
    return {"approval": "manager", "max_wait": "PT15M", "on_timeout": {"escalate": True}}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"roles": []}, "name the roles or the role_classes"),
        ({"kinds": ["vouchers"]}, "no such kinds of compensation: vouchers"),
        ({"max_wait": "PT15M"}, "max_wait goes with an approval"),
        ({"approval": "manager"}, "max_wait goes with an approval"),
        ({"approval": "peer", "max_wait": "PT15M"}, "say what happens then"),
        (approved() | {"on_timeout": {}}, "either grant_up_to an amount or escalate"),
        (approved() | {"max_wait": "P8D"}, "less than or equal to 7 days"),
        ({"per_customer": {"limit": {"amount": "1.00", "currency": "PLN"}, "period": "P1D"}}, "in one currency"),
        ({"per_customer": {"limit": eur("1.00"), "period": "P401D"}}, "400 days"),
        ({"per_grant": {"amount": 10, "currency": "EUR"}}, "both are strings"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_what_is_wrong(wrong: dict[str, Any], told: str):
    with pytest.raises(ValidationError, match=told):
        Authority.model_validate({"rules": [rule("ours", **wrong)]})


def test_a_name_stands_for_one_rule():
    with pytest.raises(ValidationError, match="twice there are: ours"):
        Authority.model_validate({"rules": [rule("ours"), rule("ours")]})
