"""What somebody did who did not have to."""

from api.stories.telling import (
    CLEANER,
    MANAGER,
    MECHANIC,
    SALES,
    SECOND_MECHANIC,
    SECRETARY,
    STOCK_CLERK,
    SURVEY,
    TECHNICIAN,
    WAITER,
    Tale,
    colleague,
    eur,
)
from domain.kinds import Actor
from domain.moves.failure import ReportFailure
from domain.moves.gesture import MakeGesture
from domain.moves.relationship import CompleteEncounter, OpenRelationship, RecordExpectation
from domain.moves.voice import StateSatisfaction


def flat_tyre() -> Tale:
    """A stranger with a flat tyre across the street; three weeks later he came in."""
    tale = Tale("C-1016", day=3, at="08:50")
    tale.then("0m", SALES, MakeGesture(kind="help_beyond_duty", degree=3))
    return tale.then("19d 2h", SALES, CompleteEncounter(touchpoint="shop", amount=eur("47.50")))


def mechanic() -> Tale:
    """Two things nobody had asked the mechanic to do."""
    tale = Tale("C-1017", day=12, at="08:30")
    tale.then("0m", SALES, OpenRelationship())
    tale.then(
        "5m",
        SALES,
        RecordExpectation(topic="safety", wish="I want to feel safe in it with the children.", importance=5),
    )
    tale.then("3h", MECHANIC, MakeGesture(kind="extra_care", degree=2, cost=eur("8.00")))
    tale.then("4h", MECHANIC, MakeGesture(kind="unasked_remedy", degree=3, cost=eur("42.00"), avoided_contacts=1))
    tale.then("8h", SALES, CompleteEncounter(touchpoint="workshop", amount=eur("189.00")))
    return tale.then(
        "9d",
        SURVEY,
        StateSatisfaction(
            instrument="NPS",
            value=10,
            solicited=True,
            verbatim="He kept the old wiper to show me why. Nobody had to.",
        ),
    )


def lost_purse() -> Tale:
    """A purse under a table, found by the cleaner and carried home to its owner."""
    tale = Tale("C-1018", day=16, at="22:40")
    tale.then("0m", CLEANER, MakeGesture(kind="surprise", degree=3))
    return tale.then(
        "1d",
        WAITER,
        StateSatisfaction(instrument="REVIEW", verbatim="They rang my bell before I knew it was gone."),
    )


def small_frictions() -> Tale:
    """Two small misunderstandings over the weeks, and one small care that outweighed them."""
    tale = Tale("C-1019", day=4, at="10:00")
    tale.then(
        "0m",
        SALES,
        ReportFailure(
            what="not_told",
            severity=1,
            fault="shared",
            channel="phone",
            touchpoint="workshop",
            description="Nobody said that the workshop closes at noon on Fridays.",
            history=True,
        ),
    )
    tale.then("9d", MECHANIC, MakeGesture(kind="prevention", degree=1, avoided_contacts=1))
    return tale.then("9d 5h", MANAGER, CompleteEncounter(touchpoint="workshop", amount=eur("65.00")))


def behind_the_scenes(customer: str, who: Actor, kind: str, word: int) -> Tale:
    """Somebody whom customers never meet does more than he must, and it is noticed."""
    tale = Tale(customer, day=18, at="13:15")
    tale.then("0m", who, MakeGesture(kind=kind, degree=2, avoided_contacts=1))
    return tale.then("4d", SURVEY, StateSatisfaction(instrument="NPS", value=word, solicited=True))


TALES = (
    flat_tyre,
    mechanic,
    lost_purse,
    small_frictions,
    lambda: behind_the_scenes("C-1043", SECRETARY, "prevention", 9),
    lambda: behind_the_scenes("C-1044", STOCK_CLERK, "extra_care", 9),
    lambda: behind_the_scenes("C-1045", TECHNICIAN, "unasked_remedy", 10),
    lambda: behind_the_scenes("C-1046", SECOND_MECHANIC, "extra_care", 8),
    lambda: behind_the_scenes("C-1047", colleague("mechanic", "back", 3), "prevention", 9),
    lambda: behind_the_scenes("C-1048", colleague("mechanic", "back", 4), "unasked_remedy", 10),
    lambda: behind_the_scenes("C-1049", colleague("mechanic", "back", 5), "prevention", 9),
)
