"""How a story of the demo is told: who did what, and how long after its beginning."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from domain.kinds import Actor, Command
from domain.milestones import Reference
from domain.moves.relationship import OpenRelationship
from domain.values import Money
from domain.vocabulary import RoleClass

NAMES: Final = UUID("0192e4a0-0000-7000-8000-00000000de40")
"""Ids in the demo are made from names, so that every run of it tells the same."""

YESTERDAY: Final = 29.99
"""The last whole day, in however many days the thirty are told."""

Deed = Command | Callable[[datetime], Command]
"""A command, or how to make it when it carries times of its own."""
On = UUID | Reference
"""What else than the customer of a tale a deed is done on: a colleague, or a document or budget of the house."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One deed, so long after the story's beginning, and when the house was told of it."""

    after: timedelta
    told: timedelta
    who: Actor
    deed: Deed
    on: On | None = None
    """None: the customer of the tale."""


@dataclass
class Tale:
    """What happened to one customer. It begins on `day` (0-29) of the thirty at `at` o'clock."""

    customer: str | None
    """The house's number for the customer; None for somebody who left no name."""
    day: float
    at: str
    scenes: list[Scene] = field(default_factory=list)

    @property
    def reference(self) -> Reference | None:
        """How the house's own system knows the customer."""
        return None if self.customer is None else Reference(kind="crm", value=self.customer)

    def then(self, after: str, who: Actor, *deeds: Deed, told: str | None = None, on: On | None = None) -> "Tale":
        """Adds these deeds `after` the beginning, as in "2d 4h 5m"; `told` is when the house heard, if later."""
        self.scenes += [Scene(length(after), length(told or after), who, deed, on) for deed in deeds]
        return self

    def begins(self, first_day: datetime, days: int) -> datetime:
        """When it begins, where the demo's first midnight is `first_day` and thirty days are told in `days`."""
        hours, minutes = self.at.split(":")
        day = int(self.day * days / 30)
        return first_day + timedelta(days=day, hours=int(hours), minutes=int(minutes))


def speaking(customer: str, day: float, at: str, speaks: str) -> Tale:
    """The tale of a customer of whom it is known from the beginning what he speaks."""
    return Tale(customer, day, at).then("0m", SHOP, OpenRelationship(locale=speaks))


def length(text: str) -> timedelta:
    """How long "2d 4h 5m" is."""
    units = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
    parts = re.findall(r"(\d+)([dhm])", text)
    return sum((int(n) * units[unit] for n, unit in parts), timedelta())


def named(name: str) -> UUID:
    """The id of what bears this name in the demo."""
    return uuid5(NAMES, name)


def colleague(role: str, role_class: RoleClass = "front", n: int = 1) -> Actor:
    """The n-th colleague of this role."""
    return Actor(kind="colleague", ref=f"u:{named(f'{role} {n}')}", role=role, role_class=role_class)


def service(name: str) -> Actor:
    """A program of the house that reports what it sees, or what customers type into it."""
    return Actor(kind="service", ref=f"s:{name}", role="other", role_class="system")


def eur(amount: str) -> Money:
    """This many euros."""
    return Money.model_validate({"amount": amount, "currency": "EUR"})


AGENT: Final = colleague("representative")
SECOND_AGENT: Final = colleague("representative", n=2)
"""Who learned long ago what goodwill is for, and may give more."""
THIRD_AGENT: Final = colleague("representative", n=3)
SALES: Final = colleague("sales")
BARISTA: Final = colleague("barista")
WAITER: Final = colleague("waiter")
SECOND_WAITER: Final = colleague("waiter", n=2)
STOCK_CLERK: Final = colleague("stock_clerk", "back")
MECHANIC: Final = colleague("mechanic", "back")
SECOND_MECHANIC: Final = colleague("mechanic", "back", 2)
TECHNICIAN: Final = colleague("technician", "back")
SECRETARY: Final = colleague("secretary", "back")
ACCOUNTANT: Final = colleague("accountant", "back")
CLEANER: Final = colleague("cleaner", "back")
COURIER: Final = colleague("courier", "partner")
MANAGER: Final = colleague("manager", "manager")
SHOP: Final = service("web-shop")
SURVEY: Final = service("survey")
TILL: Final = service("till")
