"""What needs a second voice: a yes that comes in time, one that comes too late, and one that is still awaited."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from api.stories.house import GOODWILL
from api.stories.telling import (
    AGENT,
    MANAGER,
    MECHANIC,
    SECOND_AGENT,
    SURVEY,
    THIRD_AGENT,
    YESTERDAY,
    Tale,
    eur,
    named,
    speaking,
)
from api.stories.words import Language, say
from domain.colleagues.training import CompleteTraining
from domain.moves.apology import Apologise
from domain.moves.approval import DecideCompensation
from domain.moves.cause import AttributeCause
from domain.moves.compensation import DeliverCompensation, GrantCompensation
from domain.moves.contact import ContactAgain, UpdateCustomer
from domain.moves.failure import CustomerLoss, ReportFailure
from domain.moves.follow_up import CompleteFollowUp
from domain.moves.hearing import HearConcern
from domain.moves.obstacle import ReportObstacle
from domain.moves.outcome import Close, Resolve
from domain.moves.remedy import DeliverRemedy, PromiseRemedy
from domain.moves.voice import StateSatisfaction
from domain.values import CompensationId, RecoveryId


def from_the_pope(speaks: Language) -> Tale:
    """Nobody says yes for two days; then the customer gets what the house has said beforehand."""
    asked = CompensationId(named("asked of the pope"))
    tale = speaking("C-1024", 16, "10:15", speaks)
    tale.then(
        "5m",
        AGENT,
        ReportFailure(
            what="billed_wrong",
            severity=3,
            fault="firm",
            channel="phone",
            touchpoint="shop",
            order="A-20502",
            description=say("two terminals", speaks),
            customer_words=say("from the pope", speaks),
            customer_loss=CustomerLoss(minutes=60, contacts=2),
        ),
    )
    tale.then("8m", AGENT, Apologise(said="admits", feeling_named=True, channel="phone"))
    goodwill = GrantCompensation(
        compensation_id=asked, kind="credit", value=eur("60.00"), reason="Two hours on the telephone for our slip."
    )
    tale.then("20m", AGENT, goodwill)
    tale.then(
        "1d",
        AGENT,
        ReportObstacle(kind="approval_wait", mode="inaction", whose="management", minutes_lost=60),
        UpdateCustomer(kind="delay", two_way=True),
    )
    tale.then("1d 5h", AGENT, ContactAgain(channel="phone", repeated_information=True))
    tale.then("2d 2h", AGENT, DeliverCompensation(compensation_id=asked))
    tale.then("2d 3h", AGENT, DeliverRemedy(remedy_kind="refund", resolves="full", meets_desire=True))
    tale.then(
        "2d 3h 5m", AGENT, Apologise(said="admits_and_commits", feeling_named=True, channel="phone"), Resolve()
    )
    tale.then("3d", MANAGER, AttributeCause(cause_class="organisation_process", contributing=("policy_rule",)))
    tale.then("5d", AGENT, CompleteFollowUp(outcome="partly", treatment=4, confidence=2))
    return tale.then("5d 5m", AGENT, Close(outcome="partly"))


def after_training(speaks: Language) -> Tale:
    """Who had to ask a manager last week has learned since, and gives the same alone."""
    first, second = RecoveryId(named("bread machine leaks")), RecoveryId(named("bread machine late"))
    asked = CompensationId(named("asked for the bread machine"))
    tale = speaking("C-1025", 11, "09:40", speaks)
    tale.then("5m", THIRD_AGENT, _bread_machine(first, "badly_done", say("bread machine", speaks)))
    tale.then("9m", THIRD_AGENT, Apologise(said="admits", feeling_named=True, channel="phone"))
    extension = GrantCompensation(
        compensation_id=asked,
        kind="service_extension",
        value=eur("40.00"),
        reason="The second repair of one seal.",
    )
    tale.then("12m", THIRD_AGENT, extension)
    tale.then("52m", MANAGER, DecideCompensation(compensation_id=asked, approve=True))
    tale.then("1d 2h", MECHANIC, DeliverRemedy(remedy_kind="repair", resolves="full", confirmed_by="customer"))
    tale.then("1d 2h 5m", THIRD_AGENT, DeliverCompensation(), Apologise(said="admits", channel="phone"), Resolve())
    tale.then("2d", THIRD_AGENT, CompleteFollowUp(outcome="satisfied", treatment=4), Close(outcome="satisfied"))
    goodwill = CompleteTraining(topic=GOODWILL, format="coaching")
    tale.then("4d", MANAGER, goodwill, on=THIRD_AGENT.colleague_id)
    tale.then("6d", THIRD_AGENT, _bread_machine(second, "late", say("bread machine late", speaks)))
    tale.then("6d 3m", THIRD_AGENT, Apologise(said="admits_and_commits", feeling_named=True, channel="phone"))
    alone = GrantCompensation(kind="credit", value=eur("40.00"), delivered=True)
    tale.then("6d 6m", THIRD_AGENT, alone, DeliverRemedy(remedy_kind="expedite", resolves="full"), Resolve())
    tale.then("8d", SURVEY, StateSatisfaction(instrument="CSAT", value=5, recovery_id=second, solicited=True))
    return tale.then("8d 1h", THIRD_AGENT, Close(outcome="satisfied"))


def _bread_machine(recovery_id: RecoveryId, what: str, words: str) -> ReportFailure:
    return ReportFailure(
        recovery_id=recovery_id,
        what=what,
        fault="firm",
        channel="phone",
        touchpoint="workshop",
        description=words,
    )


def awaited(speaks: Language) -> Tale:
    """Asked for yesterday, and whoever must say yes still has until tomorrow."""
    tale = speaking("C-1026", YESTERDAY, "15:30", speaks)
    tale.then(
        "5m",
        AGENT,
        ReportFailure(
            what="wrong_or_broken",
            severity=4,
            fault="firm",
            channel="phone",
            touchpoint="delivery",
            order="A-20588",
            description=say("wedding", speaks),
            desired_outcome=say("wedding wish", speaks),
            customer_loss=CustomerLoss(money=eur("180.00"), contacts=1),
        ),
    )
    tale.then("7m", AGENT, Apologise(said="admits_and_commits", feeling_named=True, channel="phone"))
    tale.then("9m", AGENT, HearConcern(compassion="practical_care", confirmed=True))
    tale.then("12m", AGENT, lambda at: PromiseRemedy(remedy_kind="replacement", due_at=at + timedelta(days=3)))
    asked = GrantCompensation(kind="card_refund", value=eur("80.00"), reason="The flowers are for Saturday.")
    tale.then("20m", AGENT, asked)
    return tale.then("2h", SECOND_AGENT, UpdateCustomer(kind="progress", two_way=True))


TALES: Final[tuple[Callable[[Language], Tale], ...]] = (from_the_pope, after_training, awaited)
