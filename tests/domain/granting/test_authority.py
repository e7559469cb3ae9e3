"""Who may give how much alone: by grant, by day, by customer, and never beyond the budget."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.budgets.budget import Budget
from domain.budgets.events import CompensationCommitted, CompensationReserved, ReservationReleased
from domain.colleagues.authority import AuthorityReturned, AuthorityUsed
from domain.colleagues.state import Colleague
from domain.granting.events import CompensationDelivered, CompensationGranted, CompensationRequested
from domain.kinds import AMENDS, Actor
from domain.moves.compensation import DeliverCompensation, GrantCompensation, ReverseCompensation
from domain.moves.invitation import InviteBack
from domain.moves.loyalty import WelcomeBack
from domain.moves.remedy import TurnDownOffer
from domain.standards.authority import Authority
from domain.standards.document import Standard
from domain.standards.house import House
from tests.support.given import Story, colleague, named_id, refused
from tests.support.recoveries import PLUMS, eur, minute, reported, usd

VOUCHER = named_id("voucher")
ANNA = colleague("anna", "barista")
DAY = date(2026, 3, 2)
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def grant(minor: int | None = 2000, **fields: object) -> GrantCompensation:
    """A voucher that costs so many cents."""
    cost = None if minor is None else eur(minor)
    return GrantCompensation.model_validate({"kind": "voucher", "cost": cost, "compensation_id": VOUCHER} | fields)


def budget(tale: Story) -> Budget:
    """The only budget of the story."""
    [found] = [one for one in tale.others.values() if isinstance(one, Budget)]
    return found


def anna(tale: Story) -> Colleague:
    """What is recorded of Anna."""
    found = tale.others[ANNA.colleague_id]
    assert isinstance(found, Colleague)
    return found


def test_s5_9_a_technician_gives_in_one_call_what_the_house_lets_him():
    tale = reported().when(grant(5000), actor=colleague("nikos", "technician", "back"))
    (granted,) = tale.then(CompensationGranted)
    assert granted.authority is not None
    assert (granted.authority.standard, granted.authority.version) == ("authority:shipped", 1)
    assert granted.authority.rule_id == "front-line"


def test_s5_8_the_rule_that_decided_stands_in_the_grant_for_ever():
    stricter = {"rule_id": "coffee", "role_classes": ["front"], "per_grant": {"amount": "4.00", "currency": "EUR"}}
    document = Standard[Authority](name="shipped", version=7, body=Authority.model_validate({"rules": [stricter]}))
    tale = reported()
    tale.house = House.at(LATER, [document])
    (granted,) = tale.when(grant(400), actor=ANNA).then(CompensationGranted)
    assert (granted.authority.standard, granted.authority.version) == ("authority:shipped", 7)
    with refused("over_limit"):
        tale.when(grant(401, compensation_id=named_id("another")), actor=ANNA)


def test_a_manager_gives_more_and_nobody_gives_everything():
    manager = colleague("petros", "manager", "manager")
    reported().when(grant(50_000), actor=manager).then(CompensationGranted)
    with refused("over_limit", who_can=[]):
        reported().when(grant(50_001), actor=manager)


def test_what_one_colleague_gives_in_a_day_adds_up():
    tale = reported().when(grant(5000, compensation_id=named_id("first")), actor=ANNA)
    assert tale.elsewhere == [AuthorityUsed(grant_id=named_id("first"), amount=eur(5000), local_day=DAY)]
    for number in range(2):
        other = reported()
        other.others = tale.others
        other.when(grant(5000), at=number + 1, actor=ANNA).then(CompensationGranted)
    third = reported()
    third.others = tale.others
    third.when(grant(1, ask=True), at=3, actor=ANNA).then(CompensationRequested)
    tomorrow = reported()
    tomorrow.others = tale.others
    tomorrow.when(grant(5000), at=24 * 60, actor=ANNA).then(CompensationGranted)


def test_one_customer_gets_so_much_in_ninety_days():
    tale = reported().when(grant(5000, compensation_id=named_id("a")), actor=ANNA)
    tale.when(grant(5000, compensation_id=named_id("b")), at=1, actor=colleague("nikos"))
    with refused("over_limit"):
        tale.when(grant(1, ask=False), at=2, actor=colleague("maria"))
    service = Actor(kind="service", ref="k:till")
    with refused("customer_limit", left={"amount": "0.00", "currency": "EUR"}):
        tale.when(grant(1), at=2, actor=service)
    tale.when(grant(1), at=91 * 24 * 60, actor=service).then(CompensationGranted)


def test_what_was_taken_back_counts_no_longer():
    tale = reported().when(grant(5000), actor=ANNA)
    tale.when(ReverseCompensation(compensation_id=VOUCHER, reason="given twice"), at=1, actor=ANNA)
    assert [type(one) for one in tale.elsewhere] == [AuthorityReturned]
    assert anna(tale).used[DAY] == {"EUR": 0}
    tale.when(grant(5000, compensation_id=named_id("b")), at=2, actor=ANNA).then(CompensationGranted)


def test_what_law_or_contract_gives_asks_no_rule_and_no_budget():
    tale = reported().with_budget(eur(100))
    for n, basis in enumerate(("statutory", "contractual")):
        command = grant(900_000, basis=basis, compensation_id=named_id(basis))
        tale.when(command, at=n, actor=ANNA).then(CompensationGranted)
        assert tale.elsewhere == []
    assert (budget(tale).reserved, budget(tale).committed) == (0, 0)


def test_an_amount_that_nobody_knows_is_taken_where_nobody_keeps_a_budget():
    tale = reported().when(grant(None), actor=ANNA)
    tale.then(CompensationGranted)
    assert tale.elsewhere == []


@pytest.mark.parametrize("kind", ["cash", "card_refund", "credit", "voucher", "discount", "donation", "gift_card"])
def test_what_is_not_in_kind_needs_an_amount_out_of_a_budget_whatever_it_is_called(kind: str):
    tale = reported().with_budget(eur(100))
    with refused("invalid_value", field="cost"):
        tale.when(grant(None, kind=kind), actor=ANNA)
    tale.when(grant(None, kind=kind, value=eur(90)), actor=ANNA).then(CompensationGranted)


def test_money_needs_an_amount_where_the_budget_is_in_whatever_currency():
    with refused("invalid_value", field="cost"):
        reported().with_budget(usd(100)).when(grant(None), actor=ANNA)


@pytest.mark.parametrize("kind", ["free_item", "upgrade", "points", "service_extension"])
def test_what_is_no_money_may_have_no_amount_and_then_draws_on_no_budget(kind: str):
    tale = reported().with_budget(eur(100)).when(grant(None, kind=kind), actor=ANNA)
    tale.then(CompensationGranted)
    assert tale.elsewhere == []


def test_i_10_goodwill_in_another_currency_than_the_budget_needs_the_rate_that_leads_to_it():
    tale = reported().with_budget(eur(5000))
    with refused("currency_mismatch", expected="EUR", given="USD"):
        tale.when(GrantCompensation(kind="voucher", cost=usd(1000)), actor=ANNA)
    with refused("currency_mismatch", expected="EUR", given="USD"):
        tale.when(GrantCompensation(kind="voucher", cost=usd(9000)), actor=ANNA)
    assert budget(tale).left == 5000


def test_i_10_it_is_refused_for_whichever_cost_centre_would_pay():
    tale = reported().with_budget(eur(5000), cost_centre="bar")
    with refused("currency_mismatch"):
        tale.when(GrantCompensation(kind="voucher", cost=usd(1000), cost_centre="bar"), actor=ANNA)
    # Nobody keeps a budget for the others: the limits of the standard hold for them, and nothing else.
    tale.when(GrantCompensation(kind="voucher", cost=usd(1000)), actor=ANNA).then(CompensationGranted)


def test_a_budget_whose_time_is_over_refuses_no_other_currency():
    tale = reported().with_budget(eur(5000), period="2025")
    tale.when(GrantCompensation(kind="voucher", cost=usd(1000)), actor=ANNA).then(CompensationGranted)


def test_in_another_currency_the_figures_that_ship_hold_as_they_are():
    reported().when(GrantCompensation(kind="voucher", cost=usd(5000)), actor=ANNA).then(CompensationGranted)
    reported().when(GrantCompensation(kind="voucher", cost=usd(5001)), actor=ANNA).then(CompensationRequested)


def test_i_22_a_customer_grants_nothing_to_himself():
    with refused("own_grant"):
        reported().when(grant(), actor=replace(AMENDS, kind="customer", ref=f"u:{named_id('customer')}"))


def test_s3_8_a_grant_is_set_aside_and_paid_when_it_is_handed_over():
    tale = reported().with_budget(eur(5000)).when(grant(2000, expires_at=minute(900)), actor=ANNA)
    (granted,) = tale.then(CompensationGranted)
    assert granted.budget_id == budget(tale).stream_id
    assert [type(one) for one in tale.elsewhere] == [AuthorityUsed, CompensationReserved]
    assert (budget(tale).reserved, budget(tale).left) == (2000, 3000)
    tale.when(DeliverCompensation(), at=5).then(CompensationDelivered)
    assert [type(one) for one in tale.elsewhere] == [CompensationCommitted]
    assert (budget(tale).reserved, budget(tale).committed) == (0, 2000)


def test_what_is_handed_over_at_once_is_paid_at_once():
    tale = reported().with_budget(eur(5000)).when(grant(2000, delivered=True), actor=ANNA)
    tale.then(CompensationGranted, CompensationDelivered)
    assert (budget(tale).reserved, budget(tale).committed) == (0, 2000)


def test_b_1_a_grant_beyond_the_budget_is_refused_with_what_is_left():
    tale = reported().with_budget(eur(1999))
    with refused("budget_exhausted", left={"amount": "19.99", "currency": "EUR"}):
        tale.when(grant(2000), actor=ANNA)
    assert (budget(tale).reserved, budget(tale).committed) == (0, 0)


@pytest.mark.parametrize("delivered", [False, True])
def test_what_the_customer_does_not_keep_is_there_for_the_next(delivered: bool):
    tale = reported().with_budget(eur(5000)).when(grant(2000, delivered=delivered), actor=ANNA)
    cause = "returned" if delivered else "never_arrived"
    tale.when(ReverseCompensation(compensation_id=VOUCHER, reason="It is back.", cause=cause), at=1)
    assert ReservationReleased in [type(one) for one in tale.elsewhere]
    assert budget(tale).left == 5000


def test_an_offer_turned_down_is_there_for_the_next():
    tale = reported().with_budget(eur(5000)).when(grant(2000), actor=ANNA)
    tale.when(TurnDownOffer(compensation_id=VOUCHER), at=1)
    assert budget(tale).left == 5000
    assert anna(tale).used[DAY] == {"EUR": 0}


def test_the_budget_of_the_team_pays_before_that_of_the_house():
    tale = reported().with_budget(eur(5000)).with_budget(eur(700), cost_centre="bar")
    tale.when(grant(500, cost_centre="bar"), actor=ANNA)
    left = {one.cost_centre: one.left for one in tale.others.values() if isinstance(one, Budget)}
    assert left == {"main": 5000, "bar": 200}


def test_a_budget_in_another_currency_pays_at_the_rate_that_is_given_half_to_even():
    tale = reported().with_budget(eur(5000))
    rate = {"rate_num": 905, "rate_den": 1000, "source": "ecb", "at": minute(0)}
    command = GrantCompensation(kind="voucher", cost=usd(1010), fx=rate, budget_currency="EUR")
    (granted,) = tale.when(command, actor=ANNA).then(CompensationGranted)
    assert granted.budget_amount == eur(914)
    assert budget(tale).reserved == 914
    with refused("invalid_value"):
        tale.when(GrantCompensation(kind="cash", cost=usd(100), budget_currency="EUR"), at=1, actor=ANNA)


def test_s3_19_the_starter_is_held_back_until_the_invitation_is_taken_up():
    tale = reported().with_budget(eur(5000))
    starter = named_id("starter")
    tale.when(
        InviteBack(what="starter", value=eur(900), cost=eur(250), valid_until=minute(9000), invitation_id=starter)
    )
    assert budget(tale).reserved == 250
    tale.when(WelcomeBack(invitation_id=starter), at=60)
    assert (budget(tale).reserved, budget(tale).committed) == (0, 250)


def test_imports_ask_no_rule():
    tale = reported().with_budget(eur(10))
    tale.when(grant(900_000), actor=ANNA, importing=True).then(CompensationGranted)
    assert tale.elsewhere == []


def test_a_grant_is_on_the_recovery_it_was_made_for():
    tale = reported().when(grant(), actor=ANNA)
    assert tale.state.recovery(PLUMS).compensations[VOUCHER].amount == eur(2000)


def service(role_class: str = "system") -> Actor:
    """A service that acts by itself and says what it likes of its role."""
    return Actor(kind="service", ref="k:till", role="manager", role_class=role_class)


def test_a_service_gives_as_itself_whatever_role_it_says_it_has():
    reported().when(grant(5000), actor=service("manager")).then(CompensationGranted)
    with refused("over_limit"):
        reported().when(grant(5001), actor=service("manager"))


def test_a_house_with_rules_of_its_own_gives_nothing_in_a_currency_they_do_not_name():
    rule = {"rule_id": "coffee", "role_classes": ["front"], "per_grant": {"amount": "4.00", "currency": "EUR"}}
    document = Standard[Authority](name="bar", body=Authority.model_validate({"rules": [rule]}))
    tale = reported()
    tale.house = House.at(LATER, [document])
    with refused("over_limit"):
        tale.when(GrantCompensation(kind="voucher", cost=usd(100)), actor=ANNA)


def test_only_imports_are_on_unknown_grounds():
    with refused("invalid_value", field="basis"):
        reported().when(grant(basis="unknown"), actor=ANNA)
    reported().when(grant(basis="unknown"), actor=ANNA, importing=True).then(CompensationGranted)


@pytest.mark.parametrize("basis", ["goodwill", "contractual", "statutory"])
def test_i_22_a_customer_grants_himself_nothing_on_any_grounds(basis: str):
    with refused("own_grant"):
        reported().when(
            grant(basis=basis), actor=replace(AMENDS, kind="customer", ref=f"u:{named_id('customer')}")
        )


def test_the_day_and_the_customers_limit_go_by_when_it_is_recorded():
    tale = reported()
    for n in range(2):
        command = grant(5000, compensation_id=named_id(f"voucher {n}"))
        tale.when(command, at=-n * 100 * 24 * 60, recorded_at=5, actor=ANNA)
    with refused("over_limit"):
        tale.when(grant(1, ask=False), at=-300 * 24 * 60, recorded_at=5, actor=colleague("nikos"))


def test_what_waits_for_a_word_counts_as_if_it_had_come():
    tale = reported()
    asked = {"compensation_id": None, "cost": eur(12_000)}
    amounts = []
    for _ in range(5):
        tale.when(grant(**asked), actor=ANNA)
        amounts.append(tale.last[0].fallback)
    assert amounts == [eur(2500)] * 4 + [None]


def test_requests_together_never_ask_for_more_than_the_customer_may_get():
    rule = {
        "rule_id": "asked",
        "role_classes": ["front"],
        "per_grant": {"amount": "100.00", "currency": "EUR"},
        "per_customer": {"limit": {"amount": "100.00", "currency": "EUR"}, "period": "P90D"},
        "approval": "manager",
        "max_wait": "PT15M",
        "on_timeout": {"escalate": True},
    }
    tale = reported()
    document = Standard[Authority](name="shipped", version=2, body=Authority.model_validate({"rules": [rule]}))
    tale.house = House.at(LATER, [document])
    tale.when(grant(10_000), actor=ANNA).then(CompensationRequested)
    with refused("customer_limit"):
        tale.when(grant(1, compensation_id=named_id("more")), actor=ANNA)
