"""Playbooks that ship with the program: a good answer to each sort of failure, and one for everything else.

Sources: Roschk & Gelbrich 2014 (repay in kind, money now rather than later); practices S1.8, S1.9, S2.19, S3.7.
"""

from typing import Any, Final

from domain.standards.document import Standard
from domain.standards.playbook import Playbook

_CLOSING_DO: Final = (
    "Say once more that you are sorry, and what you have done about it.",
    "Ask whether this is what he needed, and let his answer be the last word.",
    "Thank him for telling you: most people say nothing and do not come back.",
)
_CLOSING_DONT: Final = (
    "Do not say that it is a favour, an exception or luck.",
    "Do not tell him how much work it was.",
    "Do not explain whose fault it was, least of all his.",
)
_DIGNITY: Final = (
    "Help first; who was right can wait, and mostly it need never be said.",
    "If he is mistaken, show him the facts as news, not as proof against him.",
    "Leave him a way to take your offer without having to admit anything.",
)
_NOTES: Final = (
    {"topic": "freshness", "note": "What is not fresh is replaced at once, without proof."},
    {"topic": "punctuality", "note": "Whoever must wait is told before he has to ask."},
    {"topic": "information", "note": "Bad news is told first, by us."},
    {"topic": "price", "note": "What was charged too much is paid back at once, not as a voucher."},
)


def _book(
    name: str, match: dict[str, Any], steps: tuple[str, ...], *remedies: dict[str, Any]
) -> Standard[Playbook]:
    body = {
        "match": match,
        "steps": steps,
        "remedies": remedies,
        "closing_do": _CLOSING_DO,
        "closing_dont": _CLOSING_DONT,
        "dignity": _DIGNITY,
        "expectation_notes": _NOTES,
    }
    return Standard[Playbook](name=name, body=Playbook.model_validate(body))


PLAYBOOKS: Final = (
    _book(
        "reperform-now",
        {"what": "badly_done"},
        ("Say sorry and take it away.", "Have it done again at once, before anything else.", "Bring it yourself."),
        {"kind": "reperform"},
        {"kind": "refund"},
    ),
    _book(
        "exchange",
        {"what": "wrong_or_broken"},
        ("Say sorry.", "Give him a good one at once; do not ask for proof.", "Look whether the rest is good."),
        {"kind": "replacement"},
        {"kind": "refund"},
    ),
    _book(
        "something-else-now",
        {"what": "not_available"},
        ("Tell him at once, before he waits for it.", "Offer what comes nearest, here or elsewhere."),
        {"kind": "replacement"},
        {"kind": "redirect", "preventive": True},
        {"kind": "refund"},
    ),
    _book(
        "money-now",
        {"what": "billed_wrong"},
        ("Say sorry.", "Pay the money back now, the way he paid.", "Tell him when he will see it."),
        {"kind": "refund"},
        {"kind": "credit_note"},
    ),
    _book(
        "expedite",
        {"what": "late"},
        (
            "Tell him first, with a time you can keep.",
            "Bring it by the quickest way there is.",
            "Call when it is there.",
        ),
        {"kind": "reschedule", "preventive": True},
        {"kind": "expedite"},
        {"kind": "redirect", "preventive": True},
        {"kind": "refund"},
    ),
    _book(
        "tell-all",
        {"what": "not_told"},
        ("Say sorry.", "Tell him all that you know and when you will know the rest.", "Call back when you said."),
        {"kind": "information"},
        {"kind": "explanation"},
    ),
    _book(
        "make-it-easy",
        {"what": "hard_to_do"},
        ("Say sorry.", "Do it for him, now, while he is there.", "Do not send him anywhere else."),
        {"kind": "expedite"},
        {"kind": "information"},
    ),
    _book(
        "human-again",
        {"what": "treated_badly"},
        (
            "Listen to the end.",
            "Say that nobody should be treated like that, without a but.",
            "Give him your time.",
        ),
        {"kind": "upgrade_attention"},
        {"kind": "gesture"},
    ),
    _book(
        "fallback",
        {},
        (
            "Say sorry and listen.",
            "Ask what would put it right for him.",
            "Do that, if you may; else ask who may.",
        ),
        {"kind": "reperform"},
        {"kind": "replacement"},
        {"kind": "refund"},
    ),
)
"""One playbook for each sort of failure, and `fallback` for everything."""
