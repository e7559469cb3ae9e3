"""What an importer makes of a file: cases told in steps, and how they become orders for the writer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import ClassVar, Final, Protocol

from pydantic import ValidationError

from api.importers.rows import Reject, Row, Source
from domain.compositions.bundle import Bundle
from domain.kinds import Actor
from domain.milestones import Reference
from domain.relationship import RelationshipCommand
from infrastructure.orders import Order

SLUG: Final = re.compile(r"[^a-z0-9]+")
PART_LENGTH: Final = 31


@dataclass(frozen=True, slots=True)
class Step:
    """What one row adds: commands that happened at one time, on one customer, under one idempotency key."""

    row: Row
    key: str
    customer: Reference
    occurred_at: datetime
    time_known: bool
    commands: tuple[RelationshipCommand, ...]


class Importer(Protocol):
    """How one kind of file is read."""

    NAME: ClassVar[str]
    REQUIRED: ClassVar[tuple[str, ...]]

    def steps(self, source: Source) -> Iterator[Step | Reject | Row]:
        """Steps in the order they must be told; a reject for a bad row; a row that says nothing new as itself."""
        ...


def order_of(step: Step, name: str, fingerprint: bytes) -> Order:
    """The order that tells this step to the writer."""
    return Order(
        command=Bundle(commands=step.commands),
        stream=step.customer,
        occurred_at=step.occurred_at,
        actor=Actor(kind="service", ref=f"s:import-{name}"),
        source=f"urn:amends:import:{name}",
        key=step.key,
        fingerprint=fingerprint,
        importing=True,
        time_known=step.time_known,
    )


def slug(text: str, length: int = 64) -> str:
    """The text as code: lower case words joined by `-`; a longer one is cut and ends in a hash of the whole."""
    plain = SLUG.sub("-", text.lower()).strip("-") or "none"
    if len(plain) <= length:
        return plain
    return plain[: length - 7].rstrip("-") + "-" + sha256(text.encode()).hexdigest()[:6]


def similarity(*parts: str) -> str:
    """The similarity key of these parts, each cut to 31 characters; empty parts are left out."""
    return ":".join(slug(part, PART_LENGTH) for part in parts if part)


def day(text: str) -> datetime:
    """Midnight UTC of a day written 2013-08-30, 2013/8/30 or 8/30/2013. Raises ValueError."""
    numbers = re.split(r"[-/]", text.strip())
    if len(numbers) != 3 or not all(number.isdigit() for number in numbers):
        raise ValueError(f"{text!r} is not a date")
    first, second, third = (int(number) for number in numbers)
    if len(numbers[0]) == 4:
        return datetime(first, second, third, tzinfo=UTC)
    return datetime(third, first, second, tzinfo=UTC)


def reason_of(fault: ValueError) -> str:
    """Why a row cannot be told, in one line and without the row's own words."""
    if not isinstance(fault, ValidationError):
        return str(fault)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in fault.errors())
