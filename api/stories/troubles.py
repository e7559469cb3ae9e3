"""What goes wrong any day, who sees to it, and what puts it right."""

from dataclasses import dataclass
from typing import Final

from api.stories.telling import AGENT, BARISTA, COURIER, MECHANIC, SALES, SECOND_AGENT, WAITER
from api.stories.words import Language
from domain.kinds import Actor


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
