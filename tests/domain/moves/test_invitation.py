"""Invitation: a reason to come back, open for a while."""

import pytest

from domain.kinds import COMMAND_OF_TYPE
from domain.moves.compensation import GrantCompensation
from domain.moves.invitation import InviteBack, ReturnInvitationExpired, ReturnInvitationIssued
from tests.support.given import named_id, refused, story
from tests.support.recoveries import PLUMS, again, eur, minute, of, refused_when_erased, reported, usd

BREAKFAST = named_id("breakfast")


def invite(**fields) -> InviteBack:
    return InviteBack(**({"what": "breakfast", "valid_until": minute(900), "invitation_id": BREAKFAST} | fields))


def test_an_invitation_is_a_contact_and_stays_open():
    tale = reported().when(invite(value=eur(900), cost=eur(250)), at=5)
    (invitation,) = tale.then(ReturnInvitationIssued)
    assert (invitation.what, invitation.value, invitation.cost) == ("breakfast", eur(900), eur(250))
    assert again(invitation) == invitation
    assert of(tale).invitations[BREAKFAST].status == "open"
    assert of(tale).invitations[BREAKFAST].valid_until == minute(900)
    assert of(tale).contacted_at == minute(5)


def test_an_invitation_may_belong_to_a_compensation_that_was_granted():
    voucher = named_id("voucher")
    with refused("unknown_ref", what="compensation", ref=str(voucher)):
        reported().when(invite(compensation_id=voucher))
    tale = reported().when(GrantCompensation(kind="voucher", compensation_id=voucher))
    assert tale.when(invite(compensation_id=voucher)).then(ReturnInvitationIssued)[0].compensation_id == voucher


def test_an_invitation_is_issued_once_and_for_a_while():
    with refused("already_exists", what="invitation", ref=str(BREAKFAST)):
        reported().when(invite()).when(invite())
    with refused("invalid_value", field="valid_until"):
        reported().when(invite(valid_until=minute(5)), at=5)


def test_an_invitation_is_in_one_currency_and_worth_something():
    with refused("currency_mismatch", expected="EUR", given="USD"):
        reported().when(invite(value=eur(900), cost=usd(250)))
    with refused("invalid_value", field="cost"):
        reported().when(invite(cost=eur(0)))


def test_an_invitation_expires_by_itself():
    expired = ReturnInvitationExpired(recovery_id=PLUMS, invitation_id=BREAKFAST)
    tale = reported().when(invite()).given(expired, at=900)
    assert of(tale).invitations[BREAKFAST].status == "expired"
    assert ReturnInvitationExpired.TYPE not in COMMAND_OF_TYPE


@pytest.mark.parametrize("command", [invite(recovery_id=None)])
def test_an_invitation_needs_a_recovery_of_a_customer_we_remember(command):
    with refused("unknown_ref", what="open recovery"):
        story().when(command)
    refused_when_erased(command)
