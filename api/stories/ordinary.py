"""Ordinary customers, made from a seed: what goes wrong any day, and how any day it is dealt with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final, Literal

from api.stories.telling import (
    AGENT,
    BARISTA,
    COURIER,
    MANAGER,
    MECHANIC,
    SALES,
    SECOND_AGENT,
    SHOP,
    SURVEY,
    TILL,
    WAITER,
    Tale,
    eur,
)
from domain.kinds import Actor
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

Language = Literal["en", "el", "pl"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "el", "pl")
MOSTLY: Final = (6, 2, 2)
"""How many of ten customers speak which language, where none is asked for."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that goes wrong, who sees to it, and what puts it right."""

    what: str
    touchpoint: str
    helper: Actor
    remedy_kind: str
    words: dict[Language, str]


TROUBLES: Final = (
    Trouble(
        "late",
        "delivery",
        AGENT,
        "expedite",
        {
            "en": "My parcel was promised for Tuesday and has not come.",
            "el": "Το δέμα μου ήταν να έρθει την Τρίτη και δεν ήρθε.",
            "pl": "Paczka miała przyjść we wtorek i nie przyszła.",
        },
    ),
    Trouble(
        "wrong_or_broken",
        "shop",
        SALES,
        "replacement",
        {
            "en": "I ordered the blue jug and got the green one.",
            "el": "Παρήγγειλα την μπλε κανάτα και ήρθε η πράσινη.",
            "pl": "W paczce był zielony dzbanek zamiast niebieskiego.",
        },
    ),
    Trouble(
        "wrong_or_broken",
        "shop",
        SALES,
        "refund",
        {
            "en": "The lamp does not light.",
            "el": "Το φωτιστικό δεν ανάβει.",
            "pl": "Lampa nie świeci.",
        },
    ),
    Trouble(
        "not_available",
        "web",
        AGENT,
        "replacement",
        {
            "en": "You took my order and now there is none left.",
            "el": "Πήρατε την παραγγελία μου και τώρα λέτε ότι εξαντλήθηκε.",
            "pl": "Przyjęto zamówienie, a teraz towaru nie ma.",
        },
    ),
    Trouble(
        "billed_wrong",
        "cafe",
        BARISTA,
        "refund",
        {
            "en": "I had one coffee and paid for two.",
            "el": "Ήπια έναν καφέ και πλήρωσα δύο.",
            "pl": "Była jedna kawa, a na rachunku są dwie.",
        },
    ),
    Trouble(
        "badly_done",
        "kitchen",
        WAITER,
        "reperform",
        {"en": "The soup came cold.", "el": "Η σούπα ήρθε κρύα.", "pl": "Zupa była zimna."},
    ),
    Trouble(
        "late",
        "workshop",
        MECHANIC,
        "price_reduction",
        {
            "en": "I had an appointment at ten and was seen at half past.",
            "el": "Είχα ραντεβού στις δέκα και με δέχτηκαν στις δέκα και μισή.",
            "pl": "Wizyta była na dziesiątą, a zaczęła się o wpół do jedenastej.",
        },
    ),
    Trouble(
        "not_told",
        "shop",
        SALES,
        "information",
        {
            "en": "Nobody told me that you would be closed.",
            "el": "Κανείς δεν μου είπε ότι θα είστε κλειστά.",
            "pl": "Nikt nie powiedział, że będzie zamknięte.",
        },
    ),
    Trouble(
        "hard_to_do",
        "web",
        SECOND_AGENT,
        "explanation",
        {
            "en": "The page refused my card three times.",
            "el": "Η σελίδα αρνήθηκε την κάρτα μου τρεις φορές.",
            "pl": "Strona trzy razy odrzuciła kartę.",
        },
    ),
    Trouble(
        "treated_badly",
        "shop",
        SECOND_AGENT,
        "upgrade_attention",
        {
            "en": "At the till they talked to each other and not to me.",
            "el": "Στο ταμείο μιλούσαν μεταξύ τους και όχι σε μένα.",
            "pl": "Przy kasie rozmawiano ze sobą, a nie ze mną.",
        },
    ),
    Trouble(
        "badly_done",
        "workshop",
        MECHANIC,
        "repair",
        {
            "en": "The brake squeaks again after the repair.",
            "el": "Το φρένο τρίζει πάλι μετά την επισκευή.",
            "pl": "Hamulec po naprawie znowu piszczy.",
        },
    ),
    Trouble(
        "wrong_or_broken",
        "delivery",
        COURIER,
        "replacement",
        {
            "en": "The box arrived wet and the books with it.",
            "el": "Το κουτί ήρθε βρεγμένο, και τα βιβλία μαζί.",
            "pl": "Pudełko przyszło mokre, a książki razem z nim.",
        },
    ),
)


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
    course(tale, chance, chance.choice(TROUBLES), speaks)
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
    tale.then(f"{chance.randint(5, 20)}h", AGENT, Assign(team=trouble.touchpoint), _apology(chance))
    if chance.random() < 0.5:
        kind = chance.choice(("overload", "approval_wait", "outdated_data", "tool_or_equipment", "no_training"))
        lost = chance.randint(10, 90)
        tale.then("21h", trouble.helper, ReportObstacle(kind=kind, whose="own_team", minutes_lost=lost))
    tale.then("1d", AGENT, lambda at: _promise(trouble, at + timedelta(days=3)))
    if chance.random() < 0.4:
        tale.then("2d 3h", SHOP, ContactAgain(channel="web_form", repeated_information=chance.random() < 0.5))
    tale.then("2d 5h", AGENT, UpdateCustomer(kind="delay", two_way=True))
    tale.then("4d 2h", trouble.helper, DeliverRemedy(remedy_kind=trouble.remedy_kind, resolves="full"))
    tale.then("4d 2h 5m", AGENT, GrantCompensation(kind="voucher", value=eur("10.00"), delivered=True))
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
    """Nobody answers for days; some go."""
    tale.then("10m", SHOP, _reported(chance, trouble, speaks, (2, 3, 4)))
    if chance.random() < 0.6:
        tale.then("3d", SHOP, ContactAgain(channel="email", repeated_information=True))
    if chance.random() < 0.4:
        tale.then("6d 4h", SHOP, AnnounceLeaving())


def _twice(tale: Tale, chance: Random, trouble: Trouble, speaks: Language) -> None:
    """Put right, and wrong again."""
    _at_once_without_a_word(tale, chance, trouble, speaks)
    tale.then("3d", trouble.helper, FailRemedy(reason=trouble.words[speaks]))
    tale.then("3d 20m", MANAGER, Apologise(said="admits_and_commits", feeling_named=True, channel="phone"))
    tale.then("3d 1h", MANAGER, DeliverRemedy(remedy_kind="refund", resolves="full"))
    tale.then("3d 2h", MANAGER, GrantCompensation(kind="free_item", value=eur("8.00"), delivered=True), Resolve())
    tale.then("5d", MANAGER, CompleteFollowUp(outcome="partly", confidence=2), *_finished(chance))
    tale.then("5d 2m", MANAGER, Close(outcome="partly"))


def _at_once_without_a_word(tale: Tale, chance: Random, trouble: Trouble, speaks: Language) -> None:
    tale.then("10m", trouble.helper, _reported(chance, trouble, speaks, (2, 3)), _apology(chance))
    tale.then("50m", trouble.helper, DeliverRemedy(remedy_kind=trouble.remedy_kind, resolves="full"), Resolve())


def _under_way(tale: Tale, chance: Random, trouble: Trouble, speaks: Language) -> None:
    """Being dealt with: heard, promised, kept posted, not yet done."""
    tale.then("10m", AGENT, _reported(chance, trouble, speaks, (2, 2, 3, 4)), _apology(chance))
    tale.then("14m", AGENT, HearConcern(compassion="practical_care", confirmed=True))
    tale.then("2h", AGENT, lambda at: _promise(trouble, at + timedelta(days=4)))
    tale.then("1d 3h", AGENT, UpdateCustomer(kind="progress", two_way=True))


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
