"""Ordinary customers, made from a seed: what goes wrong any day, and how any day it is dealt with."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

from api.stories.house import alike, team_of
from api.stories.telling import (
    AGENT,
    MANAGER,
    SHOP,
    SURVEY,
    TILL,
    Tale,
    eur,
)
from api.stories.troubles import TROUBLES, Trouble
from api.stories.words import LANGUAGES, Language
from domain.moves.apology import Apologise
from domain.moves.cause import AttributeCause
from domain.moves.compensation import GrantCompensation
from domain.moves.contact import ContactAgain, UpdateCustomer
from domain.moves.failure import ReportFailure
from domain.moves.follow_up import CompleteFollowUp
from domain.moves.gesture import MakeGesture
from domain.moves.handling import Acknowledge, Assign
from domain.moves.hearing import HearConcern
from domain.moves.obstacle import ReportObstacle
from domain.moves.outcome import Close, Resolve
from domain.moves.relationship import CompleteEncounter, OpenRelationship
from domain.moves.remedy import DeliverRemedy, FailRemedy, PromiseRemedy
from domain.moves.voice import AnnounceLeaving, StateSatisfaction
from domain.moves.waiver import WaiveStep
from domain.relationship import RecoveryCommand

MOSTLY: Final = (6, 2, 2)
"""How many of ten customers speak which language, where none is asked for."""


def ordinary(seed: int, count: int = 52, language: Language | None = None) -> list[Tale]:
    """So many ordinary customers; the same seed gives the same ones."""
    return [_customer(seed, n, language) for n in range(count)]


def _customer(seed: int, n: int, language: Language | None) -> Tale:
    chance = Random(f"{seed}:{n}")  # noqa: S311 - a demo must be the same every time, not unguessable
    speaks = language or chance.choices(LANGUAGES, MOSTLY)[0]
    at = f"{chance.randint(8, 18):02}:{chance.randint(0, 59):02}"
    tale = Tale(f"C-{2001 + n}", day=chance.randint(0, 29), at=at)
    tale.then("0m", SHOP, OpenRelationship(locale=speaks))
    if chance.random() < 0.35:
        tale.then("3m", TILL, CompleteEncounter(touchpoint="shop", amount=eur(f"{chance.randint(4, 60)}.50")))
    course = chance.choices(list(COURSES), list(COURSES.values()))[0]
    trouble = chance.choice(TROUBLES)
    course(tale, chance, replace(trouble, helper=chance.choice(alike(trouble.helper))), speaks)
    return tale


def _reported(chance: Random, trouble: Trouble, speaks: Language, severities: tuple[int, ...]) -> ReportFailure:
    return ReportFailure(
        what=trouble.what,
        severity=chance.choice(severities),
        severity_customer=3 if chance.random() < 0.15 else None,
        fault=chance.choice(("firm", "firm", "unknown", "outside")),
        channel=chance.choice(("in_person", "phone", "email", "chat", "web_form")),
        touchpoint=trouble.touchpoint,
        description=trouble.words[speaks],
    )


def _apology(chance: Random) -> Apologise:
    said = chance.choice(("regret", "admits", "admits", "admits_and_commits"))
    return Apologise(said=said, feeling_named=chance.random() < 0.5, channel="phone")


def _at_once(tale: Tale, chance: Random, trouble: Trouble, speaks: Language) -> None:
    """Put right within the hour, and often liked."""
    tale.then("10m", trouble.helper, _reported(chance, trouble, speaks, (1, 2, 2, 3)))
    tale.then("14m", trouble.helper, _apology(chance))
    tale.then("35m", trouble.helper, DeliverRemedy(remedy_kind=trouble.remedy_kind, resolves="full"))
    tale.then("36m", trouble.helper, _apology(chance), Resolve())
    if chance.random() < 0.5:
        stated = StateSatisfaction(instrument="CSAT", value=chance.choice((3, 4, 4, 5)), solicited=True)
        tale.then("2d", SURVEY, stated)
        tale.then("2d 1h", AGENT, *_finished(chance, WaiveStep(step="compensation", reason="customer_request")))
        tale.then("2d 2h", AGENT, Close(outcome="partly" if stated.value == 3 else "satisfied"))


def _slowly(tale: Tale, chance: Random, trouble: Trouble, speaks: Language) -> None:
    """Answered late, promised, done after days."""
    tale.then("10m", SHOP, _reported(chance, trouble, speaks, (2, 3)), Acknowledge(channel="email", human=False))
    tale.then(f"{chance.randint(5, 20)}h", AGENT, Assign(team=team_of(trouble.touchpoint)), _apology(chance))
    if chance.random() < 0.5:
        kind = chance.choice(("overload", "approval_wait", "outdated_data", "tool_or_equipment", "no_training"))
        lost = chance.randint(10, 90)
        tale.then("21h", trouble.helper, ReportObstacle(kind=kind, whose="own_team", minutes_lost=lost))
    tale.then("1d", AGENT, lambda at: _promise(trouble, at + timedelta(days=3)))
    if chance.random() < 0.4:
        tale.then("2d 3h", SHOP, ContactAgain(channel="web_form", repeated_information=chance.random() < 0.5))
    tale.then("2d 5h", AGENT, UpdateCustomer(kind="delay", two_way=True))
    tale.then("4d 2h", trouble.helper, DeliverRemedy(remedy_kind=trouble.remedy_kind, resolves="full"))
    voucher = GrantCompensation(kind="voucher", value=eur("10.00"), delivered=True, cost_centre="main")
    tale.then("4d 2h 5m", AGENT, voucher)
    tale.then("4d 3h", AGENT, _apology(chance), Resolve())
    outcome = chance.choice(("satisfied", "partly", "partly"))
    tale.then("6d", AGENT, CompleteFollowUp(outcome=outcome, treatment=chance.randint(3, 5)))
    tale.then("6d 2m", AGENT, *_finished(chance), Close(outcome=outcome))


def _finished(chance: Random, *steps: RecoveryCommand) -> tuple[RecoveryCommand, ...]:
    """What a grave matter still needs before it is closed: why it happened, and what else was left open."""
    return *steps, AttributeCause(cause_class=chance.choice(CAUSES))


CAUSES: Final = (
    "organisation_process",
    "internal_communication",
    "capacity",
    "supplier",
    "tool_system",
    "training",
)


def _promise(trouble: Trouble, due_at: object) -> PromiseRemedy:
    return PromiseRemedy.model_validate({"remedy_kind": trouble.remedy_kind, "due_at": due_at})


def _neglected(tale: Tale, chance: Random, trouble: Trouble, speaks: Language) -> None:
    """Nobody answers for days; some go, and most are found in the end."""
    tale.then("10m", SHOP, _reported(chance, trouble, speaks, (1, 2, 3)))
    if chance.random() < 0.6:
        tale.then("3d", SHOP, ContactAgain(channel="email", repeated_information=True))
    if chance.random() < 0.4:
        tale.then("6d 4h", SHOP, AnnounceLeaving())
    if chance.random() < 0.8:
        tale.then("7d 2h", MANAGER, Apologise(said="admits_and_commits", feeling_named=True, channel="phone"))
        tale.then("7d 4h", trouble.helper, DeliverRemedy(remedy_kind=trouble.remedy_kind, resolves="full"))
        _made_good(tale, chance, "7d 5h", "10d")


def _made_good(tale: Tale, chance: Random, resolved: str, asked: str) -> None:
    """Something on top from the manager, and at the end his own question how it is now."""
    on_top = GrantCompensation(kind="free_item", value=eur("8.00"), delivered=True, cost_centre="main")
    tale.then(resolved, MANAGER, on_top, Resolve())
    tale.then(asked, MANAGER, CompleteFollowUp(outcome="partly", confidence=2), *_finished(chance))
    tale.then(f"{asked} 2m", MANAGER, Close(outcome="partly"))


def _twice(tale: Tale, chance: Random, trouble: Trouble, speaks: Language) -> None:
    """Put right, and wrong again."""
    _at_once_without_a_word(tale, chance, trouble, speaks)
    tale.then("3d", trouble.helper, FailRemedy(reason=trouble.words[speaks]))
    tale.then("3d 20m", MANAGER, Apologise(said="admits_and_commits", feeling_named=True, channel="phone"))
    tale.then("3d 1h", MANAGER, DeliverRemedy(remedy_kind="refund", resolves="full"))
    _made_good(tale, chance, "3d 2h", "5d")


def _at_once_without_a_word(tale: Tale, chance: Random, trouble: Trouble, speaks: Language) -> None:
    tale.then("10m", trouble.helper, _reported(chance, trouble, speaks, (2, 3)), _apology(chance))
    tale.then("50m", trouble.helper, DeliverRemedy(remedy_kind=trouble.remedy_kind, resolves="full"), Resolve())


def _under_way(tale: Tale, chance: Random, trouble: Trouble, speaks: Language) -> None:
    """Heard, promised, kept posted, and done after some days."""
    tale.then("10m", AGENT, _reported(chance, trouble, speaks, (2, 2, 3, 4)), _apology(chance))
    tale.then("14m", AGENT, HearConcern(compassion="practical_care", confirmed=True))
    tale.then("2h", AGENT, lambda at: _promise(trouble, at + timedelta(days=4)))
    tale.then("1d 3h", AGENT, UpdateCustomer(kind="progress", two_way=True))
    tale.then("3d 5h", trouble.helper, DeliverRemedy(remedy_kind=trouble.remedy_kind, resolves="full"))
    _made_good(tale, chance, "3d 6h", "6d")


def _kindly(tale: Tale, chance: Random, trouble: Trouble, speaks: Language) -> None:
    """Nothing goes wrong, and somebody does more than he must."""
    tale.then("20m", trouble.helper, MakeGesture(kind=chance.choice(GESTURES), degree=chance.randint(1, 2)))
    tale.then("4d", TILL, CompleteEncounter(touchpoint=trouble.touchpoint))
    if chance.random() < 0.6:
        tale.then("5d", SURVEY, StateSatisfaction(instrument="NPS", value=chance.randint(7, 10), solicited=True))


GESTURES: Final = ("extra_care", "prevention", "surprise", "unasked_remedy")
Course = Callable[[Tale, Random, Trouble, Language], None]
COURSES: Final[dict[Course, int]] = {
    _at_once: 40,
    _slowly: 20,
    _under_way: 13,
    _neglected: 10,
    _twice: 8,
    _kindly: 9,
}
"""How a day's trouble goes, and how many of a hundred go so."""
