"""Case studies: which recoveries the house should read about once they are closed (D8)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from domain.duties.signs import Sign
from domain.satisfaction.terms import STATED
from domain.values import Frozen

Reason = Literal["severe", "failed_again", "content", "paradox"]
SEVERE: Final = 4
WORTH_IT: Final = 3
"""From this severity on a customer who is content in the end is worth reading about. Source: domain.md, D8."""
CONTENT: Final = {"CSAT": 4, "CES": 6, "NPS": 8, "OUTCOME": 2}
"""From which answer on, by instrument, a customer counts as at least four fifths content."""
VOID: Final = ("withdrawn", "duplicate", "entered_in_error")
"""Outcomes of what was no failure after all."""


@dataclass(frozen=True)
class Case(Frozen):
    """What the signs of one recovery say of it."""

    severity: int = 0
    severity_customer: int | None = None
    counts: bool = False
    failed_again: bool = False
    instrument: str | None = None
    answer: int | None = None
    """The customer's last word in numbers about this recovery."""
    closed: bool = False

    @property
    def urgency(self) -> int:
        """The higher of both severities, the customer's counted up to 4."""
        return max(self.severity, min(self.severity_customer or 0, 4))

    @property
    def content(self) -> bool:
        """Whether he said that he was at least four fifths content."""
        return self.answer is not None and self.answer >= CONTENT.get(self.instrument or "", self.answer + 1)

    @property
    def stated(self) -> int | None:
        """His word on the scale of the score."""
        return STATED.get(self.instrument or "", {}).get(-1 if self.answer is None else self.answer)

    def reason(self, shown_before: Callable[[], int]) -> Reason | None:
        """Why it should be read about; None while it is not closed, or for no reason.

        `shown_before` tells the score that was published before the failure: to be more content is a paradox.
        """
        if not (self.closed and self.counts):
            return None
        if self.urgency >= SEVERE:
            return "severe"
        if self.failed_again:
            return "failed_again"
        if self.urgency >= WORTH_IT and self.content:
            return "content"
        return "paradox" if self.stated is not None and self.stated > shown_before() else None


def worth_reading(signs: Sequence[Sign], shown_before: Callable[[Sign], int]) -> tuple[Sign, Reason] | None:
    """The sign with which a recovery became worth reading about, and why; None while it is not.

    `signs` are those of one recovery, in the order of the ledger; `shown_before` tells the score before a sign.
    """
    case = Case()
    for sign in signs:
        case = _after(case, sign)
        reason = case.reason(lambda: shown_before(signs[0]))
        if reason is not None:
            return sign, reason
    return None


def _after(case: Case, sign: Sign) -> Case:
    match sign.kind:
        case "failed":
            return Case(sign.value or 0, sign.customer_value, counts=sign.counts)
        case "weighed" if sign.about is not None:
            return case.but(**{sign.about: sign.value})
        case "failed_again" if not case.closed:
            # Of a closed one the reopening that comes with it counts.
            return case.but(failed_again=True)
        case "stated":
            return case.but(instrument=sign.about, answer=sign.value)
        case "closed":
            return case.but(closed=sign.about not in VOID)
        case "reopened":
            return case.but(closed=False, failed_again=case.failed_again or sign.about != "dissatisfied")
    return case
