"""Loyalty: gone, and back again."""

from datetime import timedelta

from domain.moves.invitation import InviteBack
from domain.moves.loyalty import CustomerLost, CustomerReturned, ReportLoss, WelcomeBack
from domain.values import Money
from tests.support.given import START, named_id, refused, story
from tests.support.stories import PLUMS, only, report, reported

BREAKFAST = named_id("breakfast")


def invited():
    """A customer whom we invited to come back."""
    return reported().when(
        InviteBack(what="breakfast", valid_until=START + timedelta(days=60), invitation_id=BREAKFAST), at=1
    )


def test_a_lost_customer_marks_the_recovery_that_lost_him():
    both = reported().when(report("pears"))
    (lost,) = both.when(ReportLoss(basis="told_us", cause_recovery_id=PLUMS)).then(CustomerLost)
    assert lost.cause_recovery_id == PLUMS
    assert both.state.lost
    assert both.state.recoveries[PLUMS].lost
    assert not both.state.recoveries[named_id("pears")].lost


def test_a_customer_may_be_lost_for_no_reason_we_know():
    away = reported().when(ReportLoss(basis="stayed_away", competitor="The shop across the road"))
    (lost,) = away.then(CustomerLost)
    assert (lost.competitor, lost.cause_recovery_id) == ("The shop across the road", None)
    assert not only(away).lost


def test_a_recovery_nobody_knows_lost_nobody():
    with refused("unknown_ref", what="recovery"):
        reported().when(ReportLoss(basis="told_us", cause_recovery_id=named_id("pears")))


def test_who_comes_back_is_not_lost_any_more():
    back = reported().when(ReportLoss(basis="told_us", cause_recovery_id=PLUMS))
    (returned,) = back.when(WelcomeBack(amount=Money(minor=1500, currency="EUR")), at=9).then(CustomerReturned)
    assert returned.amount == Money(minor=1500, currency="EUR")
    assert not back.state.lost
    assert not only(back).lost


def test_an_invitation_is_redeemed_once():
    back = invited().when(WelcomeBack(invitation_id=BREAKFAST), at=9)
    assert only(back).invitations[BREAKFAST].status == "redeemed"
    with refused("already_ended", how="redeemed"):
        back.when(WelcomeBack(invitation_id=BREAKFAST), at=10)


def test_an_invitation_nobody_issued_is_refused():
    with refused("unknown_ref", what="invitation"):
        reported().when(WelcomeBack(invitation_id=BREAKFAST), at=9)


def test_nobody_we_do_not_know_is_lost_or_returns():
    with refused("unknown_ref"):
        story().when(ReportLoss(basis="told_us"))
    with refused("unknown_ref"):
        story().when(WelcomeBack())
