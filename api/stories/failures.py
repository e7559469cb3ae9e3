"""What the house did wrong, and how it was put right."""

from datetime import timedelta

from api.stories.telling import (
    ACCOUNTANT,
    AGENT,
    MANAGER,
    MECHANIC,
    SALES,
    SECOND_AGENT,
    SHOP,
    STOCK_CLERK,
    SURVEY,
    WAITER,
    Tale,
    eur,
    named,
)
from domain.compositions.instant_remedy import InstantRemedy
from domain.moves.apology import Apologise
from domain.moves.cause import AttributeCause
from domain.moves.compensation import DeliverCompensation, GrantCompensation
from domain.moves.contact import ContactAgain, UpdateCustomer
from domain.moves.failure import CustomerLoss, ReportFailure
from domain.moves.follow_up import AttemptFollowUp, CompleteFollowUp
from domain.moves.handling import Acknowledge, Assign, HandOff
from domain.moves.obstacle import RemoveObstacle, ReportObstacle
from domain.moves.outcome import Close, Resolve
from domain.moves.remedy import DeliverRemedy, FailRemedy, PromiseRemedy, StartRemedy
from domain.moves.voice import StateSatisfaction
from domain.values import ObstacleId


def courier() -> Tale:
    """A parcel that may not be sent elsewhere before it has failed to arrive."""
    rule = ObstacleId(named("courier rule"))
    tale = Tale("C-1001", day=2, at="09:40")
    tale.then(
        "0m",
        AGENT,
        ReportFailure(
            what="late",
            severity=3,
            fault="firm",
            channel="phone",
            touchpoint="delivery",
            order="A-20417",
            description="The parcel is late already, and from Thursday on nobody is at home for a week.",
            customer_words="Please do not try on Thursday. Bring it tomorrow, or give it to the bakery next door.",
            desired_outcome="Tomorrow, or handed in at the bakery next door.",
            customer_loss=CustomerLoss(minutes=45, contacts=2),
        ),
    )
    tale.then("4m", AGENT, Apologise(said="regret", feeling_named=True, channel="phone"))
    tale.then(
        "11m",
        AGENT,
        ReportObstacle(
            obstacle_id=rule,
            kind="policy_block",
            mode="inaction",
            whose="supplier",
            rule_id="courier.reschedule-before-first-attempt",
            hardness="system",
            wanted_action="Another day, before the first attempt has failed.",
            minutes_lost=35,
        ),
    )
    tale.then("50m", AGENT, HandOff(team="delivery", context_shared=True))
    tale.then("1d 2h", SHOP, UpdateCustomer(kind="delay", human=False))
    tale.then("1d 3h", AGENT, ContactAgain(channel="phone", repeated_information=True))
    tale.then(
        "1d 3h 20m",
        SECOND_AGENT,
        RemoveObstacle(obstacle_id=rule, how="workaround", reason="Our own van fetched it from the depot."),
    )
    tale.then("1d 6h", SECOND_AGENT, DeliverRemedy(remedy_kind="redirect", resolves="full", meets_desire=True))
    tale.then("1d 6h 2m", SECOND_AGENT, Apologise(said="admits_and_commits", feeling_named=True, channel="phone"))
    tale.then("1d 6h 5m", SECOND_AGENT, GrantCompensation(kind="credit", value=eur("6.90"), cost=eur("6.90")))
    tale.then("1d 7h", SECOND_AGENT, DeliverCompensation())
    tale.then("1d 7h 5m", SECOND_AGENT, Resolve())
    tale.then(
        "2d",
        MANAGER,
        AttributeCause(
            cause_class="policy_rule",
            contributing=("supplier",),
            rule_id="courier.reschedule-before-first-attempt",
        ),
    )
    tale.then("4d", SECOND_AGENT, CompleteFollowUp(outcome="partly", treatment=5, confidence=2, would_return=True))
    return tale.then("4d 5m", SECOND_AGENT, Close(outcome="partly"))


def burnt_dish() -> Tale:
    """A burnt dish, cooked again at once."""
    tale = Tale("C-1004", day=5, at="20:10")
    tale.then(
        "0m",
        WAITER,
        ReportFailure(
            what="badly_done",
            fault="firm",
            channel="in_person",
            touchpoint="kitchen",
            description="The moussaka was burnt on one side.",
        ),
    )
    tale.then("1m", WAITER, Apologise(said="admits", feeling_named=True, channel="in_person"))
    tale.then("2m", WAITER, PromiseRemedy(remedy_kind="reperform"), StartRemedy())
    tale.then("19m", WAITER, DeliverRemedy(remedy_kind="reperform", resolves="full", confirmed_by="customer"))
    tale.then("20m", WAITER, Apologise(said="admits", accepted="accepted", channel="in_person"), Resolve())
    return tale


def double_charge() -> Tale:
    """A card charged twice, and the money back the same hour."""
    tale = Tale("C-1005", day=6, at="11:05")
    tale.then(
        "0m",
        AGENT,
        ReportFailure(
            what="billed_wrong",
            fault="firm",
            channel="email",
            touchpoint="till",
            order="R-8841",
            description="The card was charged twice for one lunch.",
            customer_words="You took 23.40 twice. I would like one of them back today.",
            desired_outcome="One payment back, today.",
            customer_loss=CustomerLoss(money=eur("23.40"), contacts=1),
        ),
    )
    tale.then("6m", AGENT, Apologise(said="admits", feeling_named=True, explanation="brief", channel="email"))
    tale.then(
        "30m",
        ACCOUNTANT,
        DeliverRemedy(remedy_kind="refund", resolves="full", meets_desire=True, confirmed_by="system"),
    )
    tale.then("40m", AGENT, Apologise(said="admits_and_commits", accepted="accepted", channel="email"), Resolve())
    tale.then("1d", ACCOUNTANT, AttributeCause(cause_class="tool_system", tool_id="card-terminal"))
    tale.then("2d", SURVEY, StateSatisfaction(instrument="CSAT", value=5, solicited=True))
    return tale.then("2d 1h", AGENT, Close(outcome="satisfied"))


def late_voucher() -> Tale:
    """The same fault a week later, answered with a voucher that was late itself."""
    tale = Tale("C-1006", day=9, at="13:30")
    tale.then(
        "0m",
        SECOND_AGENT,
        ReportFailure(
            what="billed_wrong",
            fault="firm",
            channel="phone",
            touchpoint="till",
            order="R-8873",
            description="The card was charged twice for a breakfast for two.",
            desired_outcome="The money back.",
            customer_loss=CustomerLoss(money=eur("31.00"), minutes=20, contacts=2),
        ),
    )
    tale.then("3h", SECOND_AGENT, Apologise(said="regret", channel="phone"))
    tale.then("3h 2m", SECOND_AGENT, GrantCompensation(kind="voucher", timing="later", value=eur("31.00")))
    tale.then("4d", SECOND_AGENT, ContactAgain(channel="phone", repeated_information=True))
    tale.then("9d", ACCOUNTANT, DeliverCompensation())
    tale.then("9d 1h", SECOND_AGENT, Apologise(said="admits", channel="phone"), Resolve())
    tale.then("11d", SECOND_AGENT, CompleteFollowUp(outcome="dissatisfied", treatment=2, confidence=1))
    tale.then("11d 3h", MANAGER, Apologise(said="admits_and_commits", feeling_named=True, channel="phone"))
    tale.then("11d 3h 5m", MANAGER, DeliverRemedy(remedy_kind="refund", resolves="full", meets_desire=True))
    tale.then("11d 3h 6m", MANAGER, Resolve())
    tale.then("14d", MANAGER, CompleteFollowUp(outcome="satisfied", treatment=4, confidence=3, would_return=True))
    return tale.then("14d 2m", MANAGER, Close(outcome="satisfied"))


def faulty_cd() -> Tale:
    """A faulty CD, believed without a question and replaced the same day."""
    tale = Tale("C-1007", day=8, at="10:20")
    tale.then(
        "0m",
        SALES,
        InstantRemedy(
            failure=ReportFailure(
                what="wrong_or_broken",
                channel="phone",
                touchpoint="shop",
                product="A CD of piano music",
                fault="firm",
                description="The CD skips in the third piece.",
                customer_words="It skips, whatever player I put it in.",
            ),
            apology=Apologise(said="admits", feeling_named=True, channel="phone"),
            remedy=DeliverRemedy(remedy_kind="replacement", resolves="full", how="sent", meets_desire=True),
        ),
    )
    tale.then("3d", SURVEY, StateSatisfaction(instrument="CSAT", value=5, solicited=True))
    return tale.then("3d 2h", SALES, Close(outcome="satisfied"))


def silence() -> Tale:
    """A repair about which nobody says a word."""
    tale = Tale("C-1009", day=11, at="15:45")
    tale.then(
        "0m",
        SHOP,
        ReportFailure(
            what="badly_done",
            severity=3,
            fault="firm",
            channel="web_form",
            touchpoint="workshop",
            report="W-311",
            description="The sewing machine came back from the repair and drops every tenth stitch.",
            desired_outcome="That it sews.",
            customer_loss=CustomerLoss(visits=2, minutes=90),
        ),
        Acknowledge(channel="email", human=False),
    )
    tale.then("5d", SHOP, ContactAgain(channel="web_form", repeated_information=True))
    tale.then("8d 18h", MANAGER, Assign(team="workshop", reason="escalation"))
    tale.then("8d 18h 10m", MANAGER, Apologise(said="admits_and_commits", feeling_named=True, channel="phone"))
    tale.then("8d 19h", MANAGER, lambda at: PromiseRemedy(remedy_kind="repair", due_at=at + timedelta(days=2)))
    tale.then(
        "8d 19h 5m", MANAGER, lambda at: UpdateCustomer(kind="progress", next_update_due=at + timedelta(days=1))
    )
    tale.then("9d 17h", MANAGER, UpdateCustomer(kind="progress", two_way=True))
    tale.then("10d 18h", MECHANIC, DeliverRemedy(remedy_kind="repair", resolves="full", confirmed_by="customer"))
    tale.then(
        "10d 18h 5m", MANAGER, GrantCompensation(kind="service_extension", value=eur("25.00"), delivered=True)
    )
    tale.then("10d 18h 9m", MANAGER, Apologise(said="admits_and_commits", channel="in_person"), Resolve())
    tale.then("11d", MANAGER, AttributeCause(cause_class="internal_communication", contributing=("capacity",)))
    tale.then("13d", MANAGER, CompleteFollowUp(outcome="partly", treatment=4, confidence=3, would_return=True))
    return tale.then("13d 2m", MANAGER, Close(outcome="partly"))


def failed_twice() -> Tale:
    """A replacement that was broken too, and then the money."""
    tale = Tale("C-1010", day=10, at="12:10")
    tale.then(
        "0m",
        SALES,
        ReportFailure(
            what="wrong_or_broken",
            severity=2,
            severity_customer=3,
            fault="firm",
            channel="in_person",
            touchpoint="shop",
            product="A folding chair",
            description="One leg of the chair is shorter than the others.",
            customer_loss=CustomerLoss(money=eur("39.00"), visits=1),
        ),
        Apologise(said="regret", channel="in_person"),
    )
    tale.then("10m", SALES, DeliverRemedy(remedy_kind="replacement", resolves="full"), Resolve())
    tale.then("2d 6h", SALES, FailRemedy(reason="The new one wobbles like the first."))
    tale.then("2d 6h 2m", SALES, Apologise(said="admits_and_commits", feeling_named=True, channel="in_person"))
    tale.then("2d 6h 9m", SALES, DeliverRemedy(remedy_kind="refund", resolves="full", meets_desire=True))
    tale.then(
        "2d 6h 15m", SALES, GrantCompensation(kind="free_item", value=eur("12.00"), delivered=True), Resolve()
    )
    tale.then("3d", STOCK_CLERK, AttributeCause(cause_class="supplier", contributing=("organisation_process",)))
    tale.then("4d", AGENT, AttemptFollowUp(outcome="no_answer"))
    tale.then("5d 4h", AGENT, CompleteFollowUp(outcome="partly", treatment=4, confidence=2))
    return tale.then("5d 4h 1m", AGENT, Close(outcome="partly"))


TALES = (
    courier,
    burnt_dish,
    double_charge,
    late_voucher,
    faulty_cd,
    silence,
    failed_twice,
)
