"""At the table: what is cooked again, and what brings guests back through the door."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from api.stories.telling import MANAGER, SECOND_WAITER, WAITER, Tale, eur, named, speaking
from api.stories.words import Language, say
from domain.compositions.instant_remedy import InstantRemedy
from domain.moves.apology import Apologise
from domain.moves.cause import AttributeCause
from domain.moves.compensation import GrantCompensation
from domain.moves.failure import CustomerLoss, ReportFailure
from domain.moves.follow_up import CompleteFollowUp, Stated
from domain.moves.hearing import HearConcern
from domain.moves.invitation import InviteBack
from domain.moves.loyalty import WelcomeBack
from domain.moves.outcome import Close, Resolve
from domain.moves.relationship import CompleteEncounter
from domain.moves.remedy import DeliverRemedy
from domain.values import InvitationId


def free_starter(speaks: Language) -> Tale:
    """A spoilt dinner, a new one, and an invitation that brought them back."""
    starter = InvitationId(named("starter next time"))
    tale = speaking("C-1008", 7, "20:35", speaks)
    tale.then("1m", WAITER, _spoilt_dinner(speaks))
    tale.then("2m", WAITER, HearConcern(compassion="named_feeling", confirmed=True))
    tale.then("3m", WAITER, Apologise(said="admits", feeling_named=True, accepted="accepted", channel="in_person"))
    tale.then("25m", WAITER, DeliverRemedy(remedy_kind="reperform", resolves="full", confirmed_by="customer"))
    tale.then("50m", WAITER, GrantCompensation(kind="free_item", value=eur("6.50"), delivered=True))
    tale.then(
        "55m",
        WAITER,
        lambda at: InviteBack(
            invitation_id=starter,
            what="starter",
            value=eur("9.00"),
            cost=eur("2.50"),
            valid_until=at + timedelta(days=60),
        ),
        Apologise(said="admits_and_commits", feeling_named=True, accepted="accepted", channel="in_person"),
        Resolve(),
    )
    tale.then("1d", MANAGER, AttributeCause(cause_class="capacity", contributing=("training",)))
    tale.then(
        "2d",
        MANAGER,
        CompleteFollowUp(
            outcome="satisfied",
            treatment=5,
            confidence=5,
            would_return=True,
            stated=Stated(instrument="CSAT", value=5, verbatim=say("made us laugh", speaks)),
        ),
        Close(outcome="satisfied"),
    )
    tale.then("12d", WAITER, WelcomeBack(amount=eur("84.00"), invitation_id=starter))
    return tale.then("12d 2h", WAITER, CompleteEncounter(touchpoint="kitchen", amount=eur("84.00")))


def _spoilt_dinner(speaks: Language) -> ReportFailure:
    return ReportFailure(
        what="badly_done",
        severity=3,
        fault="firm",
        channel="in_person",
        touchpoint="kitchen",
        witnessed="some",
        description=say("raw fish", speaks),
        desired_outcome=say("not at midnight", speaks),
        customer_loss=CustomerLoss(minutes=40),
    )


def invited_in_vain(speaks: Language) -> Tale:
    """Cooked again, something on top, and an invitation that nobody took up."""
    tale = speaking("C-1027", 3, "20:20", speaks)
    tale.then("1m", WAITER, _spoilt(say("cold soup", speaks)))
    tale.then("2m", WAITER, Apologise(said="admits", feeling_named=True, channel="in_person"))
    tale.then("16m", WAITER, DeliverRemedy(remedy_kind="reperform", resolves="full", confirmed_by="customer"))
    tale.then("40m", WAITER, GrantCompensation(kind="free_item", value=eur("6.00"), delivered=True))
    tale.then(
        "45m",
        WAITER,
        lambda at: InviteBack(
            what="starter", value=eur("9.00"), cost=eur("2.50"), valid_until=at + timedelta(days=10)
        ),
        Apologise(said="admits_and_commits", accepted="neutral", channel="in_person"),
        Resolve(),
    )
    return tale


def starter_next_time(speaks: Language) -> Tale:
    """Cooked again and a free starter next time, told in one go: the budget keeps the starter for them."""
    tale = speaking("C-1028", 24, "20:50", speaks)
    return tale.then(
        "4m",
        SECOND_WAITER,
        lambda at: InstantRemedy(
            failure=_spoilt(say("burnt chops", speaks)),
            apology=Apologise(said="admits_and_commits", feeling_named=True, channel="in_person"),
            remedy=DeliverRemedy(remedy_kind="reperform", resolves="full", confirmed_by="customer"),
            compensation=GrantCompensation(kind="free_item", value=eur("12.00"), cost=eur("4.00")),
            invitation=InviteBack(
                what="starter", value=eur("9.00"), cost=eur("2.50"), valid_until=at + timedelta(days=60)
            ),
        ),
    )


def anniversary(speaks: Language) -> Tale:
    """The wrong table on the right evening, and a bottle that made it good."""
    tale = speaking("C-1029", 14, "21:05", speaks)
    tale.then("1m", SECOND_WAITER, _spoilt(say("anniversary", speaks)))
    tale.then("2m", SECOND_WAITER, Apologise(said="admits", feeling_named=True, channel="in_person"))
    tale.then("9m", SECOND_WAITER, DeliverRemedy(remedy_kind="upgrade_attention", resolves="full"))
    upgrade = GrantCompensation(kind="upgrade", value=eur("30.00"), cost=eur("18.00"), delivered=True)
    return tale.then("12m", SECOND_WAITER, upgrade, Resolve())


def _spoilt(words: str) -> ReportFailure:
    return ReportFailure(
        what="badly_done", fault="firm", channel="in_person", touchpoint="kitchen", description=words
    )


TALES: Final[tuple[Callable[[Language], Tale], ...]] = (
    free_starter,
    invited_in_vain,
    starter_next_time,
    anniversary,
)
