"""Rule: a rule of the house that can stand in the way of a recovery, how hard it is, and who owns it."""

from typing import Annotated, ClassVar, Final

from pydantic import StringConstraints, model_validator

from domain.standards.document import SHIPPED, Body, Standard
from domain.values import Code
from domain.vocabulary import Hardness

Title = Annotated[str, StringConstraints(min_length=1, max_length=200)]
HARDEST: Final[tuple[Hardness, ...]] = ("soft", "system", "hard")


class HouseRule(Body):
    """A rule. Soft ones may be overridden with a reason, system ones only worked around, hard ones never."""

    KIND: ClassVar[str] = "rule"

    title: Title
    owner: Code
    """Who keeps the rule, and is told when it stops a recovery: a role or a team."""
    hardness: Hardness = "soft"
    system: Code | None = None
    """The program that enforces it."""
    legal_ref: Title | None = None
    forces_failure_first: bool = False
    """Whether it lets a failure happen before anybody may help."""

    @model_validator(mode="after")
    def _meant(self) -> "HouseRule":
        if self.hardness == "hard" and self.legal_ref is None:
            raise ValueError("a hard rule names the law it comes from in legal_ref; others are soft or system")
        if self.hardness == "system" and self.system is None:
            raise ValueError("a system rule names the program that enforces it in system")
        return self


UNWRITTEN: Final = Standard[HouseRule](
    name=SHIPPED, body=HouseRule(title="A rule that nobody has written down", owner="manager", hardness="soft")
)
"""What holds of a rule that the house has not published: it is soft, and the managers own it."""


def harder(one: Hardness, other: Hardness | None) -> Hardness:
    """The harder of what is written and of what was met."""
    return one if other is None else max(one, other, key=HARDEST.index)
