"""Which recovery is meant: an id of what it holds says it, though several are open, and after it was closed."""

import pytest

from domain.moves.approval import DecideCompensation
from domain.moves.compensation import DeliverCompensation, GrantCompensation, ReverseCompensation
from domain.moves.failure import ReportFailure
from domain.moves.invitation import InviteBack
from domain.moves.remedy import DeliverRemedy, FailRemedy, PromiseRemedy, StartRemedy, TurnDownOffer
from domain.relationship import About, RecoveryCommand
from tests.support.given import Story, colleague, named_id, refused
from tests.support.recoveries import PLUMS, closed, eur, minute, reported

SWAP, VOUCHER, BIG = named_id("swap"), named_id("voucher"), named_id("big voucher")
PARCEL = named_id("parcel")
ANNA = colleague("anna", "barista")
MANAGER = colleague("petros", "manager", "manager")


def plums() -> Story:
    """A replacement was promised for the plums, a voucher granted, and a big one asked for."""
    tale = reported(order="A-7").when(PromiseRemedy(remedy_kind="replacement", remedy_id=SWAP), at=1)
    small = GrantCompensation(kind="voucher", cost=eur(500), compensation_id=VOUCHER)
    big = GrantCompensation(kind="voucher", cost=eur(9000), compensation_id=BIG, reason="his wedding cake")
    return tale.when(small, at=2, actor=ANNA).when(big, at=3, actor=ANNA)


def and_a_parcel(tale: Story, order: str = "B-8") -> Story:
    """Something else went wrong for the same customer."""
    late = ReportFailure(what="late", description="an hour", recovery_id=PARCEL, order=order)
    return tale.when(late, at=100)


NAMED: list[RecoveryCommand] = [
    StartRemedy(remedy_id=SWAP),
    DeliverRemedy(remedy_id=SWAP),
    DeliverRemedy(remedy_id=SWAP, remedy_kind="replacement"),
    FailRemedy(remedy_id=SWAP, reason="they were sold out"),
    TurnDownOffer(remedy_id=SWAP),
    TurnDownOffer(compensation_id=VOUCHER),
    DeliverCompensation(compensation_id=VOUCHER),
    ReverseCompensation(compensation_id=VOUCHER, reason="it was lost", cause="never_arrived"),
    DecideCompensation(compensation_id=BIG, approve=True),
    InviteBack(what="breakfast", valid_until=minute(10_000), compensation_id=VOUCHER),
]


@pytest.mark.parametrize("command", NAMED, ids=lambda one: type(one).__name__)
def test_an_id_of_what_one_recovery_holds_says_which_is_meant(command: RecoveryCommand):
    told = and_a_parcel(plums()).when(command, at=101, actor=MANAGER).last
    assert {getattr(one, "recovery_id", PLUMS) for one in told} == {PLUMS}


@pytest.mark.parametrize(
    "command",
    [
        TurnDownOffer(compensation_id=VOUCHER),
        DeliverCompensation(compensation_id=VOUCHER),
        ReverseCompensation(compensation_id=VOUCHER, reason="it was lost", cause="never_arrived"),
        FailRemedy(remedy_id=SWAP, reason="never arrived"),
    ],
    ids=lambda one: type(one).__name__,
)
@pytest.mark.parametrize("another_is_open", [False, True])
def test_the_id_finds_its_recovery_after_it_was_closed(command: RecoveryCommand, another_is_open: bool):
    tale = closed(plums())
    if another_is_open:
        and_a_parcel(tale)
    told = tale.when(command, at=101, actor=MANAGER).last
    assert told
    assert {getattr(one, "recovery_id", PLUMS) for one in told} == {PLUMS}


def test_what_needs_an_open_recovery_says_that_this_one_is_closed():
    with refused("wrong_phase", phase="closed"):
        and_a_parcel(closed(plums())).when(StartRemedy(remedy_id=SWAP), at=101)


def test_an_id_that_nobody_holds_says_nothing():
    with refused("ambiguous_recovery"):
        and_a_parcel(plums()).when(StartRemedy(remedy_id=named_id("another")), at=101)
    with refused("ambiguous_recovery"):
        and_a_parcel(plums()).when(DeliverRemedy(remedy_id=named_id("another"), remedy_kind="refund"), at=101)
    with refused("unknown_ref", what="open recovery"):
        closed(plums()).when(StartRemedy(remedy_id=named_id("another")), at=101)


def test_among_recoveries_of_one_order_the_id_says_which():
    tale = and_a_parcel(plums(), order="A-7")
    tale.when(StartRemedy(remedy_id=SWAP, about=About(order="A-7")), at=101)
    assert tale.last[0].recovery_id == PLUMS


def test_the_recovery_or_the_order_that_the_caller_names_goes_before_the_id():
    tale = and_a_parcel(plums())
    with refused("unknown_ref", what="remedy"):
        tale.when(StartRemedy(remedy_id=SWAP, recovery_id=PARCEL), at=101)
    with refused("unknown_ref", what="remedy"):
        tale.when(StartRemedy(remedy_id=SWAP, about=About(order="B-8")), at=101)


def test_a_request_that_was_decided_on_is_found_and_no_longer_open():
    tale = and_a_parcel(plums().when(DecideCompensation(compensation_id=BIG, approve=True), at=9, actor=MANAGER))
    with refused("unknown_ref", what="open request"):
        tale.when(DecideCompensation(compensation_id=BIG, approve=True), at=101, actor=MANAGER)
