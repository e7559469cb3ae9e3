"""What is still open when the demo ends, the gravest first; and what rules and missing training cost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from api.stories.house import BRAKES, COURIER_RULE, EXCHANGE_RULE
from api.stories.telling import (
    AGENT,
    COURIER,
    MANAGER,
    MECHANIC,
    SALES,
    SECOND_MECHANIC,
    SHOP,
    TECHNICIAN,
    YESTERDAY,
    Tale,
    named,
    speaking,
)
from api.stories.words import Language, say
from domain.kinds import Actor
from domain.moves.apology import Apologise
from domain.moves.contact import ContactAgain, UpdateCustomer
from domain.moves.escalation import Escalate
from domain.moves.failure import CustomerLoss, ReportFailure
from domain.moves.handling import Acknowledge, Assign
from domain.moves.obstacle import RemoveObstacle, ReportObstacle
from domain.moves.outcome import Resolve
from domain.moves.remedy import DeliverRemedy, PromiseRemedy, StartRemedy
from domain.moves.voice import AnnounceLeaving
from domain.values import ObstacleId


def nobody_rings_back(speaks: Language) -> Tale:
    """Five cold days, one automatic answer, and everybody has heard of it but the house."""
    tale = speaking("C-1030", 24, "18:40", speaks)
    tale.then(
        "5m",
        SHOP,
        ReportFailure(
            what="badly_done",
            severity=4,
            fault="firm",
            channel="web_form",
            touchpoint="workshop",
            report="W-347",
            witnessed="public",
            description=say("no word", speaks),
            customer_words=say("five days cold", speaks),
            customer_loss=CustomerLoss(minutes=120, contacts=4),
        ),
        Acknowledge(channel="email", human=False),
    )
    tale.then("2d", SHOP, ContactAgain(channel="web_form", repeated_information=True))
    return tale.then("4d 1h", SHOP, AnnounceLeaving())


def pram(speaks: Language) -> Tale:
    """A matter of safety: everything else waits."""
    tale = speaking("C-1031", YESTERDAY, "11:10", speaks)
    tale.then(
        "5m",
        SALES,
        ReportFailure(
            what="wrong_or_broken",
            severity=5,
            fault="firm",
            channel="phone",
            touchpoint="shop",
            description=say("pram", speaks),
        ),
        Escalate(trigger="safety"),
    )
    tale.then("8m", SALES, Apologise(said="admits_and_commits", feeling_named=True, channel="phone"))
    tale.then("20m", MANAGER, Assign(team="shop", reason="escalation"))
    tale.then("25m", MANAGER, PromiseRemedy(remedy_kind="replacement"), StartRemedy())
    return tale.then("3h", MANAGER, UpdateCustomer(kind="progress", two_way=True))


def two_sizes(speaks: Language) -> Tale:
    """A small thing from yesterday evening, still to be begun."""
    tale = speaking("C-1032", YESTERDAY, "20:30", speaks)
    return tale.then(
        "5m",
        SHOP,
        ReportFailure(
            what="wrong_or_broken",
            fault="firm",
            channel="chat",
            touchpoint="shop",
            description=say("wrong size", speaks),
        ),
    )


def courier_again(customer: str, day: float, minutes: int, *, around: bool, speaks: Language) -> Tale:
    """The rule that lets nobody help before it has failed; `around`: somebody found a way past it."""
    met = ObstacleId(named(f"courier rule {customer}"))
    tale = speaking(customer, day, "10:30", speaks)
    tale.then(
        "5m",
        AGENT,
        ReportFailure(
            what="late",
            severity=3,
            fault="firm",
            detection="predicted",
            channel="phone",
            touchpoint="delivery",
            description=say("before the attempt", speaks),
            desired_outcome=say("another day", speaks),
        ),
        Apologise(said="admits", feeling_named=True, channel="phone"),
    )
    tale.then("15m", AGENT, Assign(team="delivery"))
    blocked = ReportObstacle(
        obstacle_id=met,
        kind="policy_block",
        mode="inaction",
        whose="supplier",
        rule_id=COURIER_RULE,
        hardness="system",
        minutes_lost=minutes,
    )
    tale.then("20m", AGENT, blocked)
    if not around:
        return tale
    way = RemoveObstacle(
        obstacle_id=met, how="workaround", reason="Met the customer at the depot with his own parcel."
    )
    tale.then("5h", COURIER, way)
    return tale.then(
        "6h", COURIER, DeliverRemedy(remedy_kind="redirect", resolves="full", meets_desire=True), Resolve()
    )


def without_receipt(speaks: Language) -> Tale:
    """A soft rule, and somebody who knew what it is for."""
    met = ObstacleId(named("exchange rule"))
    tale = speaking("C-1035", 21, "12:15", speaks)
    tale.then(
        "2m",
        SALES,
        ReportFailure(
            what="wrong_or_broken",
            fault="firm",
            channel="in_person",
            touchpoint="shop",
            description=say("kettle", speaks),
        ),
        Apologise(said="admits", feeling_named=True, channel="in_person"),
        ReportObstacle(
            obstacle_id=met, kind="policy_block", whose="own_team", rule_id=EXCHANGE_RULE, minutes_lost=5
        ),
    )
    around = RemoveObstacle(obstacle_id=met, how="rule_overridden", reason="A present comes without a receipt.")
    tale.then("6m", SALES, around, DeliverRemedy(remedy_kind="replacement", resolves="full", meets_desire=True))
    return tale.then("8m", SALES, Resolve())


def weak_brake(customer: str, day: float, who: Actor, *, speaks: Language) -> Tale:
    """A repair that nobody here was taught; sent to the maker."""
    tale = speaking(customer, day, "09:20", speaks)
    tale.then(
        "5m",
        who,
        ReportFailure(
            what="badly_done",
            fault="firm",
            channel="in_person",
            touchpoint="workshop",
            description=say("brakes", speaks),
        ),
        Apologise(said="admits", channel="in_person"),
        ReportObstacle(kind="no_training", whose="own_team", topic=BRAKES, minutes_lost=25),
    )
    tale.then("20m", who, lambda at: PromiseRemedy(remedy_kind="repair", due_at=at + timedelta(days=2)))
    return tale.then("1d 22h", who, DeliverRemedy(remedy_kind="repair", resolves="full"), Resolve())


TALES: Final[tuple[Callable[[Language], Tale], ...]] = (
    nobody_rings_back,
    pram,
    two_sizes,
    lambda speaks: courier_again("C-1033", YESTERDAY, 55, around=False, speaks=speaks),
    lambda speaks: courier_again("C-1034", 14, 70, around=True, speaks=speaks),
    without_receipt,
    lambda speaks: weak_brake("C-1036", 5, MECHANIC, speaks=speaks),
    lambda speaks: weak_brake("C-1037", 7, SECOND_MECHANIC, speaks=speaks),
    lambda speaks: weak_brake("C-1038", 8, TECHNICIAN, speaks=speaks),
)
