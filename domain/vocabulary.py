"""Vocabulary: the lists of kinds that both the moves and the standards of the house speak in.

Source: domain.md section 2.
"""

from typing import Annotated, Final, Literal

from domain.values import OneOf

WHAT: Final = OneOf(
    ("wrong_or_broken", "badly_done", "not_available", "billed_wrong", "late", "not_told", "hard_to_do")
    + ("treated_badly", "other")
)
What = Annotated[str, WHAT]
FailureKind = Literal["core", "procedural", "interactional", "unknown"]
Resource = Literal["goods", "service", "monetary", "time", "information", "attention", "unknown"]

RepaidBy = Literal[
    "money_now", "money_later", "exchange", "reperformance", "expedite", "information", "psychological", "unknown"
]
REPAID_BY: Final[dict[str, RepaidBy]] = {
    "refund": "money_now",
    "price_reduction": "money_now",
    "credit_note": "money_later",
    "points": "money_later",
    "replacement": "exchange",
    "reperform": "reperformance",
    "repair": "reperformance",
    "expedite": "expedite",
    "reschedule": "expedite",
    "redirect": "expedite",
    "explanation": "information",
    "information": "information",
    "gesture": "psychological",
    "upgrade_attention": "psychological",
    "other": "unknown",
}
"""What was done -> what it repays."""
REMEDY_KIND: Final = OneOf(tuple(REPAID_BY))
RemedyKind = Annotated[str, REMEDY_KIND]

COMPENSATION_KIND: Final = OneOf(
    ("cash", "card_refund", "credit", "voucher", "discount", "free_item", "upgrade", "points")
    + ("service_extension", "donation", "other")
)
CompensationKind = Annotated[str, COMPENSATION_KIND]
Basis = Literal["goodwill", "contractual", "statutory", "unknown"]
Hardness = Literal["soft", "system", "hard"]
RoleClass = Literal["front", "back", "manager", "partner", "system"]
