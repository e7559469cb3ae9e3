"""Options: ranked by what they are worth for what they cost, within what the asker may give this customer."""

from datetime import timedelta
from typing import Any

from domain.advice.advice import AuthorityLeft, NextStep
from domain.moves.apology import Apologise
from domain.moves.compensation import DeliverCompensation, GrantCompensation, ReverseCompensation
from domain.moves.hearing import HearConcern
from domain.moves.remedy import DeliverRemedy, TurnDownOffer
from domain.standards.authority import Asker, Authority
from domain.standards.document import Standard
from domain.standards.playbook import Playbook
from domain.values import Money
from tests.support.advised import WAITER, advised, kinds
from tests.support.clockwork import Clockwork
from tests.support.given import START, Story, named_id
from tests.support.stories import report, reported

MANAGER, COURIER_FIRM = Asker(role_class="manager"), Asker(role_class="partner")
DAY = 24 * 60
VOUCHER = named_id("voucher")


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def money(amount: str, currency: str = "EUR") -> Money:
    return Money.model_validate({"amount": amount, "currency": currency})


def granting(amount: str | None = None, currency: str = "EUR", **more: Any) -> GrantCompensation:
    cost = None if amount is None else {"amount": amount, "currency": currency}
    given = {"kind": "voucher", "cost": cost, "compensation_id": VOUCHER} | more
    return GrantCompensation.model_validate(given)


def expecting(**more: Any) -> Story:
    """Everything but what is expected on top was done."""
    tale = reported(severity=3, **more).when(Apologise(said="admits"), at=1)
    tale.when(HearConcern(compassion="named_feeling"), at=2)
    return tale.when(DeliverRemedy(remedy_kind="replacement", resolves="full"), at=3)


def left(tale: Story, at: float = 10, asker: Asker = WAITER) -> AuthorityLeft:
    return advised(tale, at=at, asker=asker).authority_left


def playbook(*offers: tuple[str, str, str, str]) -> Standard[Playbook]:
    """A playbook with these offers (id, kind, value, cost)."""
    told = [
        {"offer_id": name, "kind": kind, "value": eur(value), "cost": eur(cost)}
        for name, kind, value, cost in offers
    ]
    match = {"what": "wrong_or_broken", "severity_range": [1, 5]}
    return Standard[Playbook](name="ours", body=Playbook.model_validate({"match": match, "offers": told}))


def granted(found: NextStep) -> list[tuple[str, bool]]:
    return [
        (one.id.partition(":")[2], one.approval) for one in found.options if one.command == "grant-compensation"
    ]


def test_what_is_worth_much_and_costs_little_comes_first_and_money_after_it():
    found = advised(expecting(), at=5)
    assert found.step == "compensate_or_waive"
    assert kinds(found, "grant-compensation") == [
        "free_item",
        "upgrade",
        "service_extension",
        "points",
        "voucher",
        "card_refund",
        "cash",
        "credit",
        "discount",
        "donation",
    ]


def test_offers_of_the_house_are_ranked_by_value_for_their_cost_ties_by_id():
    starter = ("starter", "free_item", "9.00", "2.50")
    wine, water = ("wine", "free_item", "20.00", "10.00"), ("dessert", "free_item", "8.00", "4.00")
    found = advised(expecting(), at=5, published=[playbook(wine, water, starter)])
    assert granted(found) == [("starter", False), ("dessert", False), ("wine", False)]
    assert [one.points for one in found.options[:3]] == [360, 200, 200]


def test_what_is_above_authority_comes_last_after_handing_over_and_says_who_can():
    weekend, starter = ("weekend", "upgrade", "900.00", "200.00"), ("starter", "free_item", "3.00", "2.50")
    found = advised(expecting(), at=5, published=[playbook(weekend, starter)])
    assert [one.id for one in found.options] == [
        "grant-compensation:starter",
        "waive-step:compensation",
        "hand-over",
        "grant-compensation:weekend",
    ]
    assert found.options[-1].approval
    assert found.options[-1].who_can == ("manager",)
    of_manager = advised(expecting(), at=5, asker=MANAGER, published=[playbook(weekend, starter)])
    assert granted(of_manager) == [("weekend", False), ("starter", False)]


def test_who_may_give_nothing_is_told_who_can():
    found = advised(expecting(), at=5, asker=COURIER_FIRM)
    assert found.authority_left == AuthorityLeft()
    assert all(one.who_can == ("back", "front", "manager") for one in found.options if one.approval)
    assert [one.id for one in found.options[:2]] == ["waive-step:compensation", "hand-over"]


def vouchers_only() -> Standard[Authority]:
    rule = {"rule_id": "vouchers", "role_classes": ["front"], "kinds": ["voucher"], "per_grant": eur("20.00")}
    boss = {"rule_id": "boss", "role_classes": ["manager"], "per_grant": eur("500.00")}
    return Standard[Authority](name="shipped", body=Authority.model_validate({"rules": [rule, boss]}), version=2)


def test_what_may_be_given_of_one_kind_may_not_be_given_of_another():
    found = advised(expecting(), at=5, published=[vouchers_only()])
    assert [kind for kind, above in granted(found) if not above] == ["voucher"]
    assert {one.who_can for one in found.options if one.approval} == {("manager",)}
    assert found.authority_left.kinds == ("voucher",)
    offers = playbook(("dinner", "voucher", "9.00", "9.00"), ("note", "cash", "9.00", "9.00"))
    found = advised(expecting(), at=5, published=[vouchers_only(), offers])
    assert granted(found) == [("dinner", False), ("note", True)]


def test_an_offer_in_other_money_goes_by_the_rules_in_that_money():
    nine = {"amount": "9.00", "currency": "PLN"}
    told = {"offer_id": "taxi", "kind": "credit", "value": nine, "cost": nine}
    match = {"what": "wrong_or_broken", "severity_range": [1, 5]}
    offers = Standard[Playbook](name="ours", body=Playbook.model_validate({"match": match, "offers": [told]}))
    assert granted(advised(expecting(), at=5, published=[offers])) == [("taxi", False)]
    assert granted(advised(expecting(), at=5, asker=COURIER_FIRM, published=[offers])) == [("taxi", True)]


def test_what_follows_if_nobody_decides_counts_as_given_already():
    tale = expecting().when(granting("45.00", compensation_id=named_id("one")), at=5)
    tale.when(granting("80.00", reason="It was his birthday."), at=6)
    found = left(tale, at=7)
    assert (found.given, found.up_to) == (money("45.00"), money("30.00"))


def test_fifty_at_once_and_a_hundred_in_ninety_days_for_one_customer():
    tale = expecting()
    found = left(tale)
    assert (found.up_to, found.given) == (money("50.00"), money("0.00"))
    assert (found.standard, found.version, found.rule_id) == ("authority:shipped", 1, "front-line")
    tale.when(granting("30.00", compensation_id=named_id("one")), at=11)
    assert left(tale, at=12).up_to == money("50.00")
    tale.when(granting("45.00", compensation_id=named_id("other")), at=12)
    assert (left(tale, at=13).up_to, left(tale, at=13).given) == (money("25.00"), money("75.00"))
    assert left(tale, at=11 + 90 * DAY).given == money("75.00")
    assert left(tale, at=11.5 + 90 * DAY).given == money("45.00")
    assert left(tale, at=13 + 90 * DAY).up_to == money("50.00")


def test_what_was_asked_for_waits_for_the_word_of_whoever_may_say_yes():
    asked = expecting().when(granting("80.00", reason="It was his birthday."), at=5)
    found = advised(asked, at=6)
    assert (found.step, found.reason_code) == ("decide_compensation", "approval_waits")
    assert found.due_at == START + timedelta(minutes=20)
    assert found.options[-1].who_can == ("manager",)


def test_what_was_granted_because_nobody_decided_is_handed_over_before_the_rest_is_decided_on():
    asked = expecting().when(granting("80.00", reason="It was his birthday."), at=5)
    Clockwork(story=asked).sweep(21)
    assert advised(asked, at=21).step == "deliver_compensation"
    asked.when(DeliverCompensation(), at=22)
    assert advised(asked, at=22).step == "decide_compensation"


def test_a_request_that_may_still_be_decided_on_in_time_comes_before_what_is_to_be_handed_over():
    tale = expecting().when(granting("80.00", reason="It was his birthday."), at=5)
    tale.when(granting("10.00", compensation_id=named_id("dessert")), at=6)
    assert advised(tale, at=7).step == "decide_compensation"


def test_grants_of_all_his_recoveries_count_together():
    tale = expecting().when(granting("40.00"), at=5).when(report("pears"), at=6)
    tale.when(granting("30.00", compensation_id=named_id("other"), recovery_id=named_id("pears")), at=7)
    assert tale.state.goodwill_since(tale.facts[0].occurred_at, "EUR") == 70_00


def test_what_was_taken_back_turned_down_owed_by_law_or_in_other_money_does_not_count():
    assert left(expecting().when(granting("40.00"), at=5)).given == money("40.00")
    taken = expecting().when(granting("40.00"), at=5)
    assert left(taken.when(ReverseCompensation(compensation_id=VOUCHER, reason="Twice."), at=6)).given == money(
        "0.00"
    )
    declined = expecting().when(granting("40.00"), at=5).when(TurnDownOffer(compensation_id=VOUCHER), at=6)
    assert left(declined).given == money("0.00")
    assert left(expecting().when(granting("40.00", basis="statutory"), at=5)).given == money("0.00")
    assert left(expecting().when(granting("40.00", currency="PLN"), at=5)).given == money("0.00")
    assert left(expecting().when(granting(), at=5)).given == money("0.00")
    handed = expecting().when(granting("40.00"), at=5).when(DeliverCompensation(), at=6)
    assert left(handed).given == money("40.00")


def test_without_a_cost_what_it_is_worth_counts():
    assert left(expecting().when(granting(value=eur("12.50")), at=5)).given == money("12.50")


def test_with_somebody_s_word_the_front_line_may_give_more_after_a_quarter_of_an_hour_at_most():
    after = left(expecting()).after_approval
    assert after is not None
    assert (after.up_to, after.by, after.max_wait) == (money("500.00"), "manager", timedelta(minutes=15))
    assert left(expecting(), asker=MANAGER).after_approval is None


def test_what_is_left_is_told_in_the_currency_of_the_loss():
    zloty = {"amount": "200.00", "currency": "PLN"}
    rules = [{"rule_id": "in-zloty", "role_classes": ["front"], "per_grant": zloty}]
    warsaw = Standard[Authority](name="warsaw", body=Authority.model_validate({"rules": rules}))
    lost = expecting(customer_loss={"money": zloty})
    assert advised(lost, at=5, published=[warsaw]).authority_left.up_to == money("200.00", "PLN")
    assert left(lost).up_to == money("50.00", "PLN")
    assert left(expecting(), asker=COURIER_FIRM).up_to is None
