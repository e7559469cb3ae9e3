"""Matters that were put right, or nearly, and then spoilt by a word; and some in which nobody won."""

from api.stories.telling import (
    AGENT,
    MANAGER,
    SALES,
    SECOND_AGENT,
    STOCK_CLERK,
    TILL,
    Tale,
    eur,
    named,
)
from domain.moves.apology import Apologise
from domain.moves.cause import AttributeCause
from domain.moves.failure import CustomerLoss, ReportFailure
from domain.moves.hearing import HearConcern
from domain.moves.loyalty import ReportLoss
from domain.moves.outcome import Resolve
from domain.moves.relationship import CompleteEncounter, DeclareValue, OpenRelationship
from domain.moves.remedy import DeliverRemedy, PromiseRemedy, RefuseRequest
from domain.moves.treatment import AnswerTreatment, ReportTreatment
from domain.moves.voice import AnnounceLeaving, StateSatisfaction
from domain.moves.waiver import WaiveStep
from domain.values import RecoveryId


def plums() -> Tale:
    """Bad plums, exchanged at the door, and then the last word."""
    tale = Tale("C-1011", day=13, at="17:25")
    tale.then(
        "0m",
        SALES,
        ReportFailure(
            what="wrong_or_broken",
            fault="firm",
            channel="in_person",
            touchpoint="shop",
            product="Plums",
            description="Half of the plums bought this morning are bad.",
            customer_loss=CustomerLoss(minutes=25, visits=1),
        ),
        Apologise(said="admits", feeling_named=True, channel="in_person"),
        PromiseRemedy(remedy_kind="replacement", mode="self_service"),
    )
    tale.then("6m", SALES, DeliverRemedy(remedy_kind="replacement", resolves="full", confirmed_by="customer"))
    tale.then("7m", SALES, Resolve())
    tale.then(
        "9m",
        STOCK_CLERK,
        ReportTreatment(treatment="favour_flaunting", degree=2, witnessed="some", by_role_class="back"),
    )
    tale.then(
        "12m",
        MANAGER,
        StateSatisfaction(
            instrument="VERBATIM",
            verbatim="Lucky today? You should pay me for my time and my trouble.",
        ),
        AnnounceLeaving(competitor="The greengrocer on the square"),
    )
    tale.then("1d 1h", MANAGER, Apologise(said="admits_and_commits", feeling_named=True, channel="phone"))
    tale.then("1d 1h 5m", MANAGER, HearConcern(compassion="time_given", confirmed=True), Resolve())
    return tale.then(
        "1d 2h", MANAGER, AttributeCause(cause_class="training", contributing=("philosophy_culture",))
    )


COFFEES = (
    ("A dry cappuccino was ordered and a wet one came.", "perception_contested"),
    ("The cappuccino was wet again.", "perception_contested"),
    ("The milk was too hot to drink.", None),
    ("It was wet once more, and she was told that it was made right.", "perception_contested"),
    ("The cup was half full of foam and half of milk.", None),
    ("The same again: this is how it is made, and that was the last word.", "last_word"),
)


def barista() -> Tale:
    """Six small failures, most of them contested, and a customer who bought a machine of her own.

    Fifteen euros a day went with her: 5,475.00 in a year.

    Nobody wrote them down. She told all of it when somebody asked at last why she no longer came.
    """
    tale = Tale("C-1012", day=1, at="08:05")
    tale.then("0m", TILL, OpenRelationship(), DeclareValue(amount=eur("15.00"), per="day", basis="observed"))
    for n, (words, treatment) in enumerate(COFFEES):
        case = RecoveryId(named(f"coffee {n}"))
        tale.then(f"{1 + 3 * n}d", SECOND_AGENT, _coffee(case, words), told="24d 3h")
        if treatment:
            contested = ReportTreatment(recovery_id=case, treatment=treatment, by_role_class="front")
            tale.then(f"{1 + 3 * n}d 1m", SECOND_AGENT, contested, told="24d 3h")
    last = RecoveryId(named("coffee 5"))
    return tale.then("24d 3h", SECOND_AGENT, ReportLoss(basis="stayed_away", cause_recovery_id=last))


def _coffee(case: RecoveryId, words: str) -> ReportFailure:
    return ReportFailure(
        recovery_id=case,
        what="badly_done",
        severity=1,
        severity_customer=2,
        channel="phone",
        touchpoint="cafe",
        similarity_key="cafe:cappuccino",
        description=words,
    )


def guest_who_was_wrong() -> Tale:
    """A customer who is wrong, and may be so with dignity."""
    tale = Tale("C-1013", day=15, at="16:00")
    tale.then(
        "0m",
        AGENT,
        ReportFailure(
            what="other",
            fault="customer",
            channel="phone",
            touchpoint="web",
            description="The course was booked for the wrong month; the free change ended last week.",
            desired_outcome="All the money back.",
            customer_loss=CustomerLoss(money=eur("60.00")),
        ),
    )
    tale.then("3m", AGENT, HearConcern(compassion="named_feeling", confirmed=True))
    tale.then("4m", AGENT, Apologise(said="regret", feeling_named=True, channel="phone"))
    tale.then(
        "9m",
        AGENT,
        RefuseRequest(reason="outside_policy", alternative="The same course next month, without a fee."),
    )
    tale.then("11m", AGENT, Resolve())
    return tale.then(
        "2d",
        AGENT,
        StateSatisfaction(instrument="VERBATIM", verbatim="I did not get it, but nobody made me feel small."),
    )


def nameless() -> Tale:
    """A complaint in the box at the door, without a name."""
    tale = Tale(None, day=17, at="18:30")
    tale.then(
        "0m",
        MANAGER,
        ReportFailure(
            what="badly_done",
            channel="letter",
            touchpoint="cafe",
            description="The floor by the back tables was wet and slippery all afternoon.",
        ),
    )
    tale.then("40m", MANAGER, DeliverRemedy(remedy_kind="reperform", resolves="full"))
    tale.then(
        "1h",
        MANAGER,
        WaiveStep(step="apology", reason="no_contact_given"),
        WaiveStep(step="follow_up", reason="no_contact_given"),
        Resolve(),
    )
    return tale


def answered_back() -> Tale:
    """A rude answer on the telephone, and the other side of it."""
    tale = Tale("C-1014", day=18, at="09:15")
    tale.then(
        "0m",
        SECOND_AGENT,
        ReportFailure(
            what="treated_badly",
            severity=3,
            fault="firm",
            channel="review_site",
            touchpoint="shop",
            witnessed="public",
            description="A review says that the caller was laughed at on the telephone.",
            customer_words="I asked twice for the opening hours and somebody laughed.",
        ),
        ReportTreatment.model_validate(
            {"treatment": "dismissal", "degree": 2, "witnessed": "public", "from": "review"}
        ),
    )
    tale.then("2h", SALES, AnswerTreatment(note="A child in the shop had made us laugh; the line was open."))
    tale.then("3h", MANAGER, Apologise(said="admits", feeling_named=True, explanation="brief", channel="phone"))
    tale.then("3h 10m", MANAGER, HearConcern(compassion="time_given", confirmed=True))
    tale.then("3h 12m", MANAGER, DeliverRemedy(remedy_kind="upgrade_attention", resolves="full"), Resolve())
    tale.then("1d", MANAGER, AttributeCause(cause_class="training"))
    return tale.then("2d", MANAGER, StateSatisfaction(instrument="CSAT", value=4, solicited=True))


def regular() -> Tale:
    """Somebody for whom nothing ever goes wrong, which is most people."""
    tale = Tale("C-1015", day=0, at="07:50")
    tale.then("0m", TILL, OpenRelationship())
    for day in range(1, 27, 2):
        tale.then(f"{day}d", TILL, CompleteEncounter(touchpoint="cafe", amount=eur("2.80")))
    return tale


TALES = (plums, barista, guest_who_was_wrong, nameless, answered_back, regular)
