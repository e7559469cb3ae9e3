"""Compensation: granted once, delivered once, in one currency."""

import pytest

from domain.clocks import DeadlineMissed
from domain.granting.events import CompensationDelivered, CompensationExpired, CompensationGranted
from domain.kinds import COMMAND_OF_TYPE
from domain.moves.compensation import (
    CompensationReversed,
    DeliverCompensation,
    GrantCompensation,
    ReverseCompensation,
)
from domain.values import Money
from tests.support.given import START, colleague, named_id, refused, story
from tests.support.recoveries import (
    PLUMS,
    again,
    closed,
    eur,
    minute,
    of,
    refused_when_erased,
    reported,
    treated_badly,
    usd,
)

VOUCHER = named_id("voucher")
RATE = {"rate_num": 11, "rate_den": 10, "source": "ecb", "at": START}


def granted(**fields):
    lost = {"money": {"amount": "20.00", "currency": "EUR"}}
    command = GrantCompensation(**({"kind": "voucher", "compensation_id": VOUCHER} | fields))
    return reported(customer_loss=lost).when(command, at=5)


def test_a_grant_says_what_it_is_worth_and_what_it_costs():
    tale = granted(kind="free_item", value=eur(900), cost=eur(250), expires_at=minute(900))
    (grant,) = tale.then(CompensationGranted)
    assert (grant.kind, grant.basis, grant.timing) == ("free_item", "goodwill", "now")
    assert (grant.value, grant.cost, grant.expires_at) == (eur(900), eur(250), minute(900))
    assert again(grant) == grant
    assert of(tale).compensations[VOUCHER].status == "granted"
    assert of(tale).phase == "acting"
    assert not of(tale).acted


@pytest.mark.parametrize(
    ("value", "percent"),
    [(eur(2000), 100), (eur(3000), 150), (eur(999), 49), (usd(2000), None), (None, None)],
)
def test_the_percentage_follows_from_the_loss_where_the_currencies_agree(value, percent):
    assert granted(value=value).then(CompensationGranted)[0].pct_of_loss == percent


def test_a_loss_that_nobody_told_has_no_percentage():
    command = GrantCompensation(kind="voucher", value=eur(2000))
    assert reported().when(command).then(CompensationGranted)[0].pct_of_loss is None


def test_the_largest_value_over_the_smallest_loss_is_still_a_number():
    cent = {"money": {"amount": "0.01", "currency": "EUR"}}
    command = GrantCompensation(kind="voucher", basis="contractual", value=Money(minor=2**53 - 1, currency="EUR"))
    (grant,) = reported(customer_loss=cent).when(command).then(CompensationGranted)
    assert grant.pct_of_loss == 2**53 - 1


def test_one_grant_is_in_one_currency_unless_the_rate_is_given():
    with refused("currency_mismatch", expected="EUR", given="USD"):
        granted(value=eur(900), cost=usd(250))
    (grant,) = granted(value=eur(900), cost=usd(250), fx=RATE).then(CompensationGranted)
    assert grant.fx is not None
    assert (grant.fx.rate_num, grant.fx.rate_den) == (11, 10)
    assert again(grant) == grant


@pytest.mark.parametrize("field", ["value", "cost"])
def test_nobody_grants_nothing(field):
    with refused("invalid_value", field=field):
        granted(**{field: eur(0)})


def test_a_grant_is_good_for_a_while():
    with refused("invalid_value", field="expires_at"):
        granted(expires_at=minute(5))


def test_a_compensation_id_is_taken_once():
    with refused("already_exists", what="compensation", ref=str(VOUCHER)):
        granted().when(GrantCompensation(kind="cash", compensation_id=VOUCHER), at=6)


def test_a_delivery_is_something_done_and_stops_the_clocks():
    tale = granted().when(DeliverCompensation(), at=10)
    (delivery,) = tale.then(CompensationDelivered)
    assert (delivery.compensation_id, delivery.late) == (VOUCHER, False)
    assert of(tale).acted
    assert of(tale).done["compensation"].at == of(tale).done["first_action"].at == minute(10)
    assert set(of(tale).deadlines) == {"acknowledge", "remedy"}
    assert of(tale).contacted_at == minute(10)


def test_a_grant_may_be_handed_over_at_once():
    tale = granted(delivered=True)
    grant, delivery = tale.then(CompensationGranted, CompensationDelivered)
    assert grant.compensation_id == delivery.compensation_id == VOUCHER
    assert of(tale).compensations[VOUCHER].status == "delivered"


def test_lateness_follows_from_the_clock():
    a_week = 7 * 24 * 60
    assert not granted().when(DeliverCompensation(), at=a_week).then(CompensationDelivered)[0].late
    assert granted().when(DeliverCompensation(), at=a_week + 1).then(CompensationDelivered)[0].late
    missed = granted().given(DeadlineMissed(recovery_id=PLUMS, step="compensation"), at=a_week)
    assert missed.when(DeliverCompensation(), at=a_week + 1).then(CompensationDelivered)[0].late


def test_a_compensation_is_delivered_once():
    with refused("already_delivered", what="compensation"):
        granted(delivered=True).when(DeliverCompensation(compensation_id=VOUCHER), at=10)


def test_what_expired_or_was_taken_back_is_not_delivered():
    command = DeliverCompensation(compensation_id=VOUCHER)
    with refused("already_ended", how="expired"):
        granted().given(CompensationExpired(recovery_id=PLUMS, compensation_id=VOUCHER)).when(command, at=10)
    with refused("already_ended", how="expired"):
        granted(expires_at=minute(9)).when(command, at=10)
    with refused("already_ended", how="reversed"):
        granted().when(ReverseCompensation(compensation_id=VOUCHER, reason="twice"), at=6).when(command, at=10)


def test_a_delivery_needs_a_grant_and_one_of_several_must_be_named():
    with refused("unknown_ref", what="compensation"):
        reported().when(DeliverCompensation())
    with refused("unknown_ref", what="compensation", ref=str(PLUMS)):
        granted().when(DeliverCompensation(compensation_id=PLUMS))
    with refused("invalid_value", field="compensation_id"):
        granted().when(GrantCompensation(kind="cash"), at=6).when(DeliverCompensation(), at=7)


def test_what_was_taken_back_is_not_done_any_more():
    tale = granted(delivered=True).when(ReverseCompensation(compensation_id=VOUCHER, reason="booked twice"), at=9)
    tale.then(CompensationReversed)
    assert not of(tale).acted
    assert "compensation" not in of(tale).done
    with refused("already_ended", how="reversed"):
        tale.when(ReverseCompensation(compensation_id=VOUCHER, reason="again"), at=10)


def test_a_compensation_in_the_customers_hand_does_not_expire():
    expired = CompensationExpired(recovery_id=PLUMS, compensation_id=VOUCHER)
    assert of(granted(delivered=True).given(expired)).compensations[VOUCHER].status == "delivered"


def test_nobody_posts_an_expiry():
    assert CompensationExpired.TYPE not in COMMAND_OF_TYPE


def test_a_colleague_named_in_a_report_of_poor_treatment_decides_on_no_compensation():
    tale = treated_badly(granted(), by="anna")
    with refused("own_case"):
        tale.when(GrantCompensation(kind="cash"), actor=colleague("anna"))
    with refused("own_case"):
        tale.when(ReverseCompensation(compensation_id=VOUCHER, reason="twice"), actor=colleague("anna"))
    tale.when(DeliverCompensation(), actor=colleague("anna")).then(CompensationDelivered)


def test_a_closed_recovery_grants_nothing_new_but_hands_over_what_was_granted():
    with refused("wrong_phase", phase="closed"):
        closed(reported()).when(GrantCompensation(recovery_id=PLUMS, kind="cash"), at=100)
    closed(granted()).when(DeliverCompensation(recovery_id=PLUMS), at=100).then(CompensationDelivered)


@pytest.mark.parametrize(
    "command",
    [
        GrantCompensation(kind="cash"),
        DeliverCompensation(),
        ReverseCompensation(compensation_id=VOUCHER, reason="twice"),
    ],
    ids=lambda command: command.PATH,
)
def test_a_compensation_needs_a_recovery_of_a_customer_we_remember(command):
    with refused("unknown_ref", what="open recovery"):
        story().when(command)
    refused_when_erased(command)
