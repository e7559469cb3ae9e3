"""The second voice: asked for, given or refused, and what happens when nobody speaks."""

from datetime import timedelta

import pytest

from domain.budgets.budget import Budget
from domain.budgets.events import CompensationReserved
from domain.duties import next_due
from domain.granting.events import (
    CompensationApproved,
    CompensationGranted,
    CompensationRefused,
    CompensationRequested,
)
from domain.milestones import EscalationRaised
from domain.moves.approval import DecideCompensation
from domain.moves.compensation import DeliverCompensation, GrantCompensation
from domain.values import Money
from tests.support.clockwork import Clockwork
from tests.support.given import START, Story, colleague, named_id, refused
from tests.support.houses import ruled_by
from tests.support.recoveries import PLUMS, eur, minute, reported, treated_badly, usd

VOUCHER = named_id("voucher")
ANNA = colleague("anna", "barista")
MANAGER = colleague("petros", "manager", "manager")


def asked(minor: int = 12_000, tale: Story | None = None, **fields: object) -> Story:
    """Anna asked to give more than she may alone."""
    given = {"kind": "voucher", "cost": eur(minor), "compensation_id": VOUCHER, "reason": "his wedding cake"}
    return (tale or reported()).when(GrantCompensation.model_validate(given | fields), actor=ANNA)


def budget(tale: Story) -> Budget:
    """The only budget of the story."""
    [found] = [one for one in tale.others.values() if isinstance(one, Budget)]
    return found


def test_i_7_what_is_more_than_he_may_is_asked_for_with_who_by_when_and_what_otherwise():
    (request,) = asked().then(CompensationRequested)
    assert (request.approver, request.fallback) == ("manager", eur(2500))
    assert request.decide_by == START + timedelta(minutes=15)
    assert request.authority.rule_id == "front-line-approved"


def test_the_fallback_is_set_aside_at_once():
    tale = asked(tale=reported().with_budget(eur(10_000)))
    assert budget(tale).reserved == 2500


def test_a_yes_grants_it_and_the_budget_holds_all_of_it():
    tale = asked(tale=reported().with_budget(eur(50_000)))
    tale.when(DecideCompensation(approve=True), at=10, actor=MANAGER)
    yes, granted = tale.then(CompensationApproved, CompensationGranted)
    assert (yes.amount, yes.waited_s, yes.in_time, yes.auto) == (eur(12_000), 600, True, False)
    assert yes.by == MANAGER.colleague_id
    assert (granted.compensation_id, granted.cost) == (VOUCHER, eur(12_000))
    assert budget(tale).reserved == 12_000
    assert tale.state.recovery(PLUMS).requests == {}


def test_a_yes_may_be_to_less_but_never_to_more():
    tale = asked(value=eur(24_000))
    with refused("invalid_value"):
        tale.when(DecideCompensation(approve=True, amount=eur(12_001)), at=5, actor=MANAGER)
    tale.when(DecideCompensation(approve=True, amount=eur(6000)), at=5, actor=MANAGER)
    granted = tale.then(CompensationApproved, CompensationGranted)[1]
    assert (granted.cost, granted.value) == (eur(6000), eur(12_000))


def test_a_no_needs_a_reason_and_frees_what_was_set_aside():
    tale = asked(tale=reported().with_budget(eur(10_000)))
    with refused("invalid_value", field="reason"):
        tale.when(DecideCompensation(approve=False), at=5, actor=MANAGER)
    tale.when(DecideCompensation(approve=False, reason="he was refunded yesterday"), at=5, actor=MANAGER)
    tale.then(CompensationRefused)
    assert budget(tale).reserved == 0
    with refused("unknown_ref"):
        tale.when(DecideCompensation(approve=True), at=6, actor=MANAGER)


def test_a_yes_that_the_budget_cannot_pay_is_refused_and_the_request_stays():
    tale = asked(tale=reported().with_budget(eur(10_000)))
    with refused("budget_exhausted"):
        tale.when(DecideCompensation(approve=True), at=5, actor=MANAGER)
    assert (budget(tale).reserved, list(tale.state.recovery(PLUMS).requests)) == (2500, [VOUCHER])


def test_b_1_a_yes_is_paid_out_of_what_is_set_aside_for_it_and_what_is_left():
    tale = asked(tale=reported().with_budget(eur(12_000)))
    tale.when(DecideCompensation(approve=True), at=5, actor=MANAGER)
    assert [type(one) for one in tale.elsewhere] == [CompensationReserved]
    assert (budget(tale).reserved, budget(tale).left) == (12_000, 0)


def test_a_closed_budget_pays_a_yes_to_what_is_set_aside_for_it_and_no_more():
    tale = asked(tale=reported().with_budget(eur(50_000)))
    tale.others[budget(tale).stream_id] = budget(tale).but(closed=True)
    with refused("budget_exhausted", left={"amount": "25.00", "currency": "EUR"}):
        tale.when(DecideCompensation(approve=True), at=5, actor=MANAGER)
    tale.when(DecideCompensation(approve=True, amount=eur(2500)), at=5, actor=MANAGER)
    assert budget(tale).reserved == 2500


def test_i_22_nobody_says_yes_to_what_he_asked_for_himself():
    with refused("own_grant"):
        asked().when(DecideCompensation(approve=True), at=5, actor=ANNA)


def test_only_a_managers_voice_counts_where_the_rule_wants_one():
    said = ("this needs the word of: manager",)
    with refused("over_limit", who_can=["manager"], limit=None, args=said):
        asked().when(DecideCompensation(approve=True), at=5, actor=colleague("nikos"))


def test_i_21_a_manager_named_in_the_case_does_not_decide_on_it():
    tale = asked(tale=treated_badly(reported(), "petros"))
    with refused("own_case"):
        tale.when(DecideCompensation(approve=True), at=5, actor=MANAGER)


def clockwork(tale: Story) -> Clockwork:
    """The story with a clock that can be moved on."""
    return Clockwork(story=tale)


def test_s1_7_a_silent_approver_is_waited_for_so_long_then_the_fallback_is_granted_and_it_is_said_so():
    tale = asked(tale=reported().with_budget(eur(50_000)))
    settled = clockwork(tale).sweep(15)
    auto, granted = [one for one in settled if isinstance(one, CompensationApproved | CompensationGranted)]
    assert (auto.auto, auto.in_time, auto.by, auto.amount, auto.waited_s) == (True, False, None, eur(2500), 900)
    assert (granted.compensation_id, granted.cost) == (VOUCHER, eur(2500))
    assert tale.state.recovery(PLUMS).requests[VOUCHER].timed_out


def test_before_that_time_nothing_happens_and_afterwards_nothing_more():
    tale = asked()
    clock = clockwork(tale)
    assert not [one for one in clock.sweep(14) if isinstance(one, CompensationApproved)]
    assert [one for one in clock.sweep(16) if isinstance(one, CompensationApproved)]
    assert not [one for one in clock.sweep(29) if isinstance(one, CompensationApproved)]
    assert next_due(tale.state) is not None


def test_a_late_yes_is_to_what_the_customer_did_not_get_by_then():
    tale = asked(tale=reported().with_budget(eur(50_000)))
    clockwork(tale).sweep(20)
    tale.when(DecideCompensation(approve=True), at=30, actor=MANAGER)
    yes, rest = tale.then(CompensationApproved, CompensationGranted)
    assert (yes.in_time, yes.amount) == (False, eur(9500))
    assert rest.compensation_id != VOUCHER
    assert rest.cost == eur(9500)
    assert budget(tale).reserved == 12_000


def test_a_late_no_leaves_the_customer_what_he_got():
    tale = asked(tale=reported().with_budget(eur(50_000)))
    clockwork(tale).sweep(20)
    tale.when(DecideCompensation(approve=False, reason="enough"), at=30, actor=MANAGER)
    assert budget(tale).reserved == 2500
    assert tale.state.recovery(PLUMS).compensations[VOUCHER].amount == eur(2500)


def test_where_the_house_wants_it_a_silent_approver_is_gone_over():
    tale = reported()
    tale.house = ruled_by(
        rule_id="up",
        role_classes=["front"],
        per_grant={"amount": "500.00", "currency": "EUR"},
        approval="peer",
        max_wait="PT10M",
        on_timeout={"escalate": True},
    )
    asked(tale=tale).then(CompensationRequested)
    clock = clockwork(tale)
    assert [one.trigger for one in clock.sweep(11) if isinstance(one, EscalationRaised)] == ["deadline"]
    assert not [one for one in clock.sweep(25) if isinstance(one, EscalationRaised)]
    tale.when(DecideCompensation(approve=True), at=30, actor=colleague("nikos"))
    assert tale.then(CompensationApproved, CompensationGranted)[1].cost == eur(12_000)


def test_whoever_does_not_want_to_ask_is_told_what_he_may_give_alone_and_whose_word_more_needs():
    said = ("this role may give 50.00 EUR alone; more needs the word of: manager",)
    with refused("over_limit", who_can=["manager"], limit={"amount": "50.00", "currency": "EUR"}, args=said):
        asked(ask=False)


def test_what_he_may_give_alone_is_what_is_left_of_it_today_and_for_this_customer():
    tale = reported()
    for name in ("first", "second"):
        small = {"kind": "voucher", "cost": eur(4000), "compensation_id": named_id(name)}
        tale.when(GrantCompensation.model_validate(small), actor=ANNA)
    with refused("over_limit", limit={"amount": "20.00", "currency": "EUR"}):
        asked(tale=tale, minor=3000, ask=False)


def test_of_what_no_rule_lets_him_give_he_is_told_whose_word_it_needs_and_no_limit():
    tale = reported()
    tale.house = ruled_by(
        {"rule_id": "asked", "role_classes": ["front"], "per_grant": {"amount": "200.00", "currency": "EUR"}}
        | {"approval": "peer", "max_wait": "PT15M", "on_timeout": {"escalate": True}}
    )
    with refused("over_limit", who_can=["peer"], limit=None, args=("this needs the word of: peer",)):
        asked(tale=tale, ask=False)


@pytest.mark.parametrize("approve", [True, False])
def test_a_request_is_decided_once(approve: bool):
    tale = asked()
    decision = DecideCompensation(approve=approve, reason="so", compensation_id=VOUCHER)
    tale.when(decision, at=5, actor=MANAGER)
    with refused("unknown_ref"):
        tale.when(decision, at=6, actor=MANAGER)


# In another currency than the budget's.

RATE = {"rate_num": 905, "rate_den": 1000, "source": "ecb", "at": minute(0)}


def asked_in_dollars(minor: int = 12_000, **fields: object) -> Story:
    """Anna asked for dollars, which a budget in euros pays."""
    given = {"cost": usd(minor), "fx": RATE, "budget_currency": "EUR"}
    return asked(tale=reported().with_budget(eur(50_000)), **(given | fields))


def test_i_10_what_is_more_than_he_may_is_asked_for_in_another_currency_too():
    tale = asked_in_dollars()
    (request,) = tale.then(CompensationRequested)
    assert (request.fallback, request.budget_amount, request.budget_currency) == (usd(2500), eur(2262), "EUR")
    assert budget(tale).reserved == 2262


@pytest.mark.parametrize(("yes", "drawn"), [(None, 10_860), (usd(6000), 5430)])
def test_i_10_a_yes_draws_on_the_budget_at_the_rate_of_the_request(yes: Money | None, drawn: int):
    tale = asked_in_dollars().when(DecideCompensation(approve=True, amount=yes), at=5, actor=MANAGER)
    granted = tale.then(CompensationApproved, CompensationGranted)[1]
    assert (granted.cost, granted.budget_amount) == (yes or usd(12_000), eur(drawn))
    assert granted.fx is not None
    assert budget(tale).reserved == drawn
    tale.when(DeliverCompensation(), at=6)
    assert (budget(tale).reserved, budget(tale).committed) == (0, drawn)


def test_i_10_what_nobodys_word_granted_and_the_rest_draw_at_the_rate_of_the_request():
    tale = asked_in_dollars()
    clockwork(tale).sweep(20)
    assert tale.state.recovery(PLUMS).compensations[VOUCHER].drawn == eur(2262)
    tale.when(DecideCompensation(approve=True), at=30, actor=MANAGER)
    assert tale.then(CompensationApproved, CompensationGranted)[1].budget_amount == eur(8598)
    assert budget(tale).reserved == 2262 + 8598


@pytest.mark.parametrize(
    "rate", [{"rate_num": 2**53 - 1, "rate_den": 1}, {"rate_num": 1, "rate_den": 2**53 - 1}], ids=["huge", "tiny"]
)
@pytest.mark.parametrize("minor", [4000, 12_000], ids=["alone", "asked"])
def test_a_rate_that_leads_to_nothing_or_beyond_all_money_is_refused(rate: dict[str, int], minor: int):
    with refused("invalid_value", field="fx"):
        asked_in_dollars(minor, fx=RATE | rate)


# Ends.


def test_a_fallback_of_all_that_was_asked_for_leaves_nothing_to_decide():
    tale = reported()
    tale.house = ruled_by(
        rule_id="never-alone",
        role_classes=["front"],
        per_grant={"amount": "500.00", "currency": "EUR"},
        approval="manager",
        max_wait="PT10M",
        on_timeout={"grant_up_to": {"amount": "25.00", "currency": "EUR"}},
    )
    asked(2000, tale)
    clockwork(tale).sweep(20)
    assert tale.state.recovery(PLUMS).compensations[VOUCHER].amount == eur(2000)
    with refused("unknown_ref"):
        tale.when(DecideCompensation(approve=True), at=30, actor=MANAGER)


def test_what_runs_out_before_anybody_must_have_decided_is_not_asked_for():
    with refused("invalid_value", field="expires_at"):
        asked(expires_at=minute(15))
    asked(expires_at=minute(16)).then(CompensationRequested)


def test_a_yes_to_what_has_run_out_since_grants_nothing():
    tale = asked(expires_at=minute(20))
    clockwork(tale).sweep(30)
    with refused("already_ended", how="expired"):
        tale.when(DecideCompensation(approve=True), at=30, actor=MANAGER)
    tale.when(DecideCompensation(approve=False, reason="too late"), at=30, actor=MANAGER).then(CompensationRefused)


def test_who_asks_late_is_waited_for_from_when_he_asks():
    tale = reported()
    request = GrantCompensation(kind="voucher", cost=eur(12_000), compensation_id=VOUCHER)
    tale.when(request, at=0, recorded_at=60, actor=ANNA)
    assert tale.then(CompensationRequested)[0].decide_by == START + timedelta(minutes=75)
    auto = [one for one in clockwork(tale).sweep(80) if isinstance(one, CompensationApproved)]
    assert [one.amount for one in auto] == [eur(2500)]
