"""What becomes of a grant: the budget and the customer's state always tell the same story."""

import pytest

from domain.budgets.budget import Budget
from domain.budgets.drawing import expired
from domain.budgets.events import BudgetClosed, CompensationCommitted, ReservationReleased
from domain.granting.events import CompensationDelivered, CompensationExpired
from domain.kinds import Elsewhere
from domain.moves.compensation import DeliverCompensation, GrantCompensation, ReverseCompensation
from domain.moves.invitation import InviteBack, ReturnInvitationIssued
from domain.moves.loyalty import CustomerReturned, WelcomeBack
from domain.moves.outcome import Close
from tests.support.clockwork import DAY, Clockwork
from tests.support.given import START, Story, colleague, named_id, refused
from tests.support.houses import ruled_by
from tests.support.recoveries import PLUMS, eur, minute, of, reported, resolved, usd

VOUCHER, ANOTHER, STARTER = named_id("voucher"), named_id("another"), named_id("starter")
ANNA = colleague("anna", "barista")
MANAGER = colleague("petros", "manager", "manager")
GOES_UP = {
    "rule_id": "up",
    "role_classes": ["front"],
    "per_grant": {"amount": "500.00", "currency": "EUR"},
    "approval": "peer",
    "max_wait": "PT10M",
    "on_timeout": {"escalate": True},
}


def taken_back(cause: str = "never_arrived") -> ReverseCompensation:
    """The voucher is taken back, by no judgement of anybody's."""
    return ReverseCompensation(compensation_id=VOUCHER, reason="It is back in the drawer.", cause=cause)


def budget(tale: Story) -> Budget:
    """The only budget of the story."""
    [found] = [one for one in tale.others.values() if isinstance(one, Budget)]
    return found


def sums(tale: Story) -> tuple[int, int]:
    """What is set aside, and what is spent."""
    return budget(tale).reserved, budget(tale).committed


def lapsed(tale: Story, at: float) -> Story:
    """The story after the budget let go by this minute what was not taken up in time."""
    for due_at, event in expired(budget(tale), minute(at)):
        tale._record_elsewhere(Elsewhere(budget(tale), event), due_at, ANNA, due_at)
    return tale


def drawn_dry(tale: Story, minor: int, at: float) -> Story:
    """The story after so much of the budget went to somebody else."""
    grant = GrantCompensation(kind="cash", cost=eur(minor), compensation_id=ANOTHER, delivered=True)
    return tale.when(grant, at=at, actor=MANAGER)


def voucher(minor: int = 4000, **fields: object) -> GrantCompensation:
    """A voucher of so many cents, good for ten minutes."""
    usual = {"kind": "voucher", "cost": eur(minor), "compensation_id": VOUCHER, "expires_at": minute(10)}
    return GrantCompensation.model_validate(usual | fields)


def test_b_1_what_is_taken_back_before_it_was_handed_over_brings_back_nobody_elses_money():
    tale = drawn_dry(reported().with_budget(eur(10_000)), 4000, at=0)
    tale.when(voucher(), at=1, actor=ANNA)
    lapsed(tale, 20).when(taken_back(), at=20)
    assert sums(tale) == (0, 4000)


def test_what_is_taken_back_out_of_his_hand_is_there_for_the_next():
    tale = reported().with_budget(eur(10_000)).when(voucher(delivered=True), actor=ANNA)
    tale.when(taken_back(cause="returned"), at=20)
    assert [type(one) for one in tale.elsewhere if isinstance(one, ReservationReleased)] == [ReservationReleased]
    assert sums(tale) == (0, 0)


# What happened is recorded, whatever is left.


@pytest.mark.parametrize(("others", "paid"), [(3000, 4000), (7000, 3000), (10_000, None)])
def test_what_he_was_handed_in_time_is_recorded_however_late_and_paid_out_of_what_is_left(
    others: int, paid: int | None
):
    tale = reported().with_budget(eur(10_000)).when(voucher(), actor=ANNA)
    tale = drawn_dry(lapsed(tale, 10), others, at=11)
    (handed,) = tale.when(DeliverCompensation(compensation_id=VOUCHER), at=9, recorded_at=12).then(
        CompensationDelivered
    )
    assert [one.amount for one in tale.elsewhere] == ([] if paid is None else [eur(paid)])
    assert handed.budget_amount == (None if paid == 4000 else eur(paid or 0))
    assert sums(tale) == (0, others + (paid or 0))
    tale.when(taken_back(), at=13)
    assert sums(tale) == (0, others)


def test_a_closed_budget_still_pays_what_was_promised_before():
    tale = reported().with_budget(eur(10_000)).when(voucher(), actor=ANNA)
    tale._record_elsewhere(Elsewhere(budget(tale), BudgetClosed()), START, ANNA, START)
    lapsed(tale, 10).when(DeliverCompensation(compensation_id=VOUCHER), at=9, recorded_at=12)
    assert sums(tale) == (0, 4000)


def test_what_he_was_handed_in_time_counts_though_the_clock_had_recorded_that_it_ran_out():
    clock = Clockwork(story=reported().when(voucher(), actor=ANNA))
    assert CompensationExpired(recovery_id=PLUMS, compensation_id=VOUCHER) in clock.sweep(20)
    tale = clock.story.when(DeliverCompensation(compensation_id=VOUCHER), at=10, recorded_at=20)
    tale.then(CompensationDelivered)
    assert of(tale).compensations[VOUCHER].status == "delivered"


def test_i_9_what_ran_out_before_is_not_delivered():
    clock = Clockwork(story=reported().when(voucher(), actor=ANNA))
    clock.sweep(20)
    with refused("already_ended", how="expired"):
        clock.story.when(DeliverCompensation(compensation_id=VOUCHER), at=11, recorded_at=20)


@pytest.mark.parametrize(("others", "paid"), [(9000, 250), (9900, 100), (10_000, None)])
def test_s3_19_a_guest_who_comes_back_on_an_invitation_that_ran_out_is_recorded(others: int, paid: int | None):
    tale = reported().with_budget(eur(10_000))
    tale.when(InviteBack(what="starter", cost=eur(250), valid_until=minute(10), invitation_id=STARTER), actor=ANNA)
    tale = drawn_dry(lapsed(tale, 10), others, at=11)
    tale.when(WelcomeBack(invitation_id=STARTER), at=20).then(CustomerReturned)
    assert tale.elsewhere == [
        CompensationCommitted(grant_id=one.grant_id, amount=eur(paid)) for one in tale.elsewhere if paid
    ]
    assert sums(tale) == (0, others + (paid or 0))


# Invitations.


def test_i_22_a_customer_invites_nobody():
    with refused("own_grant"):
        reported().when(
            InviteBack(what="starter", cost=eur(250), valid_until=minute(10)),
            actor=colleague().but(kind="customer", ref=f"u:{named_id('customer')}"),
        )


def test_s3_19_an_invitation_with_a_compensation_behind_it_is_paid_for_once():
    tale = reported().with_budget(eur(10_000)).when(voucher(), actor=ANNA)
    invite = InviteBack(what="starter", cost=eur(4000), valid_until=minute(10), compensation_id=VOUCHER)
    (issued,) = tale.when(invite, at=1, actor=ANNA).then(ReturnInvitationIssued)
    assert issued.budget_id is None
    assert sums(tale) == (4000, 0)


def test_i_10_an_invitation_draws_on_a_budget_in_the_currency_of_its_cost_alone():
    rate = {"rate_num": 9, "rate_den": 10, "source": "ecb", "at": minute(0)}
    tale = reported().with_budget(eur(10_000))
    given = {"what": "starter", "fx": rate, "valid_until": minute(10)}
    with refused("currency_mismatch", expected="EUR", given="USD"):
        tale.when(InviteBack(**given, value=eur(900), cost=usd(1000)), actor=ANNA)
    issued = InviteBack(**given, value=usd(1000), cost=eur(900))
    assert tale.when(issued, actor=ANNA).then(ReturnInvitationIssued)[0].budget_id is not None
    assert sums(tale) == (900, 0)


@pytest.mark.parametrize("give", [InviteBack, GrantCompensation])
def test_no_rate_is_known_before_its_day(give: type[InviteBack | GrantCompensation]):
    rate = {"rate_num": 9, "rate_den": 10, "source": "ecb", "at": minute(6)}
    given = {"what": "starter", "valid_until": minute(10)} if give is InviteBack else {"kind": "voucher"}
    with refused("future_event", field="fx.at", moment=minute(6).isoformat()):
        reported().when(give.model_validate(given | {"cost": usd(1000), "fx": rate}), actor=ANNA)
    in_time = {"cost": usd(1000), "fx": rate | {"at": minute(5)}}
    assert reported().when(give.model_validate(given | in_time), actor=ANNA).last


# Closing.


def asked(tale: Story, **fields: object) -> Story:
    """Anna asked to give more than she may alone."""
    return tale.when(voucher(12_000, **({"expires_at": None} | fields)), actor=ANNA)


def test_closing_withdraws_what_was_asked_for_and_frees_what_was_set_aside():
    tale = asked(reported().with_budget(eur(50_000)))
    tale.when(Close(outcome="withdrawn"), at=5)
    assert [(type(one), one.reason) for one in tale.elsewhere] == [(ReservationReleased, "withdrawn")]
    assert sums(tale) == (0, 0)
    assert of(tale).requests == {}


def test_closing_leaves_the_customer_what_nobodys_word_granted():
    tale = asked(reported().with_budget(eur(50_000)))
    Clockwork(story=tale).sweep(20)
    tale.when(Close(outcome="withdrawn"), at=25)
    assert tale.elsewhere == []
    assert sums(tale) == (2500, 0)
    assert of(tale).compensations[VOUCHER].stands


def test_d7_no_matter_closes_by_itself_while_somebody_must_still_decide():
    tale = resolved(reported())
    tale.house = ruled_by(**GOES_UP)
    asked(tale)
    clock = Clockwork(story=tale)
    clock.sweep(60 * DAY)
    assert of(tale).phase != "closed"


# The same in whatever steps the clock is swept.


@pytest.mark.parametrize("steps", [(90,), (20, 90), (16, 29, 90)])
def test_what_the_clock_granted_runs_out_at_its_time_however_late_the_grant_was_recorded(steps: tuple[int, ...]):
    clock = Clockwork(story=asked(reported(), expires_at=minute(30)))
    for until in steps:
        # A word told late settles what fell due before it happened; all of it is recorded an hour later.
        clock.now = 60
        clock.sweep(until)
    assert clock.log("compensation.approved", "compensation.granted", "compensation.expired") == [
        (15, "compensation.approved"),
        (15, "compensation.granted"),
        (30, "compensation.expired"),
    ]
