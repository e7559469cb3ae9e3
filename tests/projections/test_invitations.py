"""Invitations: who of those invited back came, and after how long."""

from domain.moves.compensation import GrantCompensation
from domain.moves.invitation import InviteBack, ReturnInvitationExpired
from domain.moves.loyalty import WelcomeBack
from domain.values import InvitationId, RecoveryId
from projections import invitations
from projections.grants import Grants
from tests.support import reporting
from tests.support.given import Story, named_id
from tests.support.ledgers import Book
from tests.support.reporting import asked, minute, period
from tests.support.stories import PLUMS, resolved

DAY = 24 * 60
DINNER = InvitationId(named_id("dinner"))


def told(shelf: Book, *tales: Story) -> Book:
    """The shelf with each of these stories told, and the read models that this report asks caught up."""
    return reporting.told(shelf, *tales, only=(Grants(),))


def invited(at: float = 20) -> Story:
    """A guest was invited to a dinner within thirty days."""
    dinner = InviteBack(what="dinner", valid_until=minute(at + 30 * DAY), invitation_id=DINNER)
    return resolved().when(dinner, at=at)


def came(days: float) -> Story:
    """He came so many days later."""
    return invited().when(WelcomeBack(invitation_id=DINNER), at=20 + days * DAY)


def ran_out() -> Story:
    """He did not come in time."""
    expired = ReturnInvitationExpired(recovery_id=RecoveryId(PLUMS), invitation_id=DINNER)
    return invited().given(expired, at=20 + 30 * DAY)


def test_what_a_caller_calls_an_invitation_is_none_of_ours(shelf: Book):
    owed = GrantCompensation(kind="invitation", basis="statutory", delivered=True)
    tale = resolved().when(owed, at=20)
    assert asked(told(shelf, tale), invitations.report).n == 0


def test_s3_18_the_redemption_rate_and_the_days_to_return_are_told(shelf: Book):
    found = asked(told(shelf, came(2), came(6), came(10), ran_out(), invited()), invitations.report)
    assert (found.n, found.redeemed, found.expired, found.open) == (5, 3, 1, 1)
    assert (found.redemption.hits, found.redemption.n, found.redemption.share) == (3, 4, 0.75)
    assert (found.redemption.low, found.redemption.high) == (0.3006, 0.9544)
    assert (found.days_to_return.median, found.days_to_return.p90) == (6.0, 9.2)


def test_s3_18_who_comes_back_on_one_that_had_run_out_has_come_back(shelf: Book):
    late = ran_out().when(WelcomeBack(invitation_id=DINNER), at=20 + 31 * DAY)
    found = asked(told(shelf, late), invitations.report)
    assert (found.redeemed, found.expired, found.days_to_return.median) == (1, 0, 31.0)


def test_other_gifts_and_guests_who_come_by_themselves_are_no_invitations(shelf: Book):
    tale = resolved().when(GrantCompensation(kind="voucher", delivered=True), at=20)
    found = asked(told(shelf, tale.when(WelcomeBack(), at=30)), invitations.report)
    assert (found.n, found.redemption.share, found.days_to_return.median) == (0, None, None)


def test_it_is_told_as_of_then_and_goes_by_when_he_was_invited(shelf: Book):
    shelf = told(shelf, came(2))
    assert asked(shelf, invitations.report, period(as_of=DAY)).open == 1
    assert asked(shelf, invitations.report, period(until=20)).n == 0
