"""House: the standards in force at one moment, with what ships where nothing was published."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from domain.standards.authority import (
    ANYTHING,
    AUTHORITY,
    Asked,
    Asker,
    Authority,
    Ruling,
    most_generous,
    shipped_in,
)
from domain.standards.authority import who_can as able
from domain.standards.authority import with_approval as on_approval
from domain.standards.calendar import ROUND_THE_CLOCK, Calendar
from domain.standards.document import SHIPPED, Body, Standard
from domain.standards.playbook import Circumstances, Playbook, chosen
from domain.standards.playbooks import PLAYBOOKS
from domain.standards.rule import UNWRITTEN, HouseRule
from domain.standards.targets import TARGETS, Targets
from domain.values import Money

BODIES: Final[Mapping[str, type[Body]]] = {
    kind.KIND: kind for kind in (Authority, Targets, HouseRule, Playbook, Calendar)
}
"""Every kind of standard."""
DEFAULTS: Final[tuple[Standard[Any], ...]] = (AUTHORITY, TARGETS, UNWRITTEN, ROUND_THE_CLOCK, *PLAYBOOKS)
"""What ships with the program."""


@dataclass(frozen=True)
class House:
    """The documents in force, one for each kind and name."""

    documents: Mapping[tuple[str, str], Standard[Any]]

    @classmethod
    def at(cls, moment: datetime, published: Iterable[Standard[Any]] = ()) -> "House":
        """The house at this moment: of each name the newest version that is in force; what ships is the oldest."""
        found: dict[tuple[str, str], Standard[Any]] = {(one.body.KIND, one.name): one for one in DEFAULTS}
        in_force = [one for one in published if one.effective_from <= moment]
        for one in sorted(in_force, key=lambda one: (one.effective_from, one.version)):
            found[one.body.KIND, one.name] = one
        return cls(found)

    def _of(self, kind: str) -> list[Standard[Any]]:
        return [one for (of, _), one in self.documents.items() if of == kind]

    @cached_property
    def _authorities(self) -> list[Standard[Authority]]:
        return self._of(Authority.KIND)

    @cached_property
    def _playbooks(self) -> list[Standard[Playbook]]:
        return self._of(Playbook.KIND)

    def _rules_for(self, asked: Asked) -> list[Standard[Authority]]:
        """The rules of the house; where it has written none down, those that ship, in whatever currency."""
        if asked.currency is None or self._has_its_own or asked.currency in self._currencies:
            return self._authorities
        return [shipped_in(asked.currency)]

    @cached_property
    def _has_its_own(self) -> bool:
        return any(one is not AUTHORITY for one in self._authorities)

    @cached_property
    def _currencies(self) -> set[str]:
        return {rule.per_grant.currency for one in self._authorities for rule in one.body.rules}

    def may_give(self, asker: Asker, asked: Asked = ANYTHING) -> Ruling | None:
        """The rule by which he gives without asking anybody."""
        return most_generous(self._rules_for(asked), asker, asked)

    def may_ask_for(self, asker: Asker, asked: Asked = ANYTHING) -> Ruling | None:
        """The rule by which he may give once somebody says yes."""
        return on_approval(self._rules_for(asked), asker, asked)

    def who_can(self, amount: Money, asked: Asked = ANYTHING) -> list[str]:
        """The roles and role classes that may give this much alone."""
        return able(self._rules_for(asked), amount, asked)

    def playbook(self, case: Circumstances) -> Standard[Playbook]:
        """The playbook for this case."""
        # The one that ships for every case can be replaced, but not by one that fits no longer everything.
        return chosen(self._playbooks, case) or PLAYBOOKS[-1]

    def rule(self, rule_id: str | None) -> Standard[HouseRule]:
        """The rule of this id, or what holds of a rule that nobody has written down."""
        written = self.documents.get((HouseRule.KIND, rule_id or SHIPPED))
        return written or self.documents[HouseRule.KIND, SHIPPED]

    def targets(self, name: str = SHIPPED) -> Standard[Targets]:
        """The promises in time of this name, else those of the house."""
        found = self.documents.get((Targets.KIND, name))
        return found or self.documents[Targets.KIND, SHIPPED]

    @cached_property
    def runs_as_shipped(self) -> bool:
        """Whether it has promised no times of its own, and is open round the clock."""
        always_open = all(one is ROUND_THE_CLOCK for one in self._of(Calendar.KIND))
        return always_open and self.targets() is TARGETS

    def calendar(self, name: str | None) -> Standard[Calendar] | None:
        """The calendar of this name; None where the house is open round the clock."""
        return None if name is None else self.documents.get((Calendar.KIND, name))
