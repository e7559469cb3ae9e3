"""What routers are given: the parts of this process, found on the application."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, cast
from uuid import UUID

from prometheus_client import CollectorRegistry
from starlette.requests import Request

from domain.kinds import Fact
from domain.publishing import Publication
from domain.standards.house import House
from infrastructure.checkpoints import slowest
from infrastructure.handover import Together
from infrastructure.orders import Answer, Order
from infrastructure.settings import Settings
from infrastructure.vitals import Vitals
from infrastructure.webhooks.courier import Courier
from infrastructure.webhooks.endpoints import Webhooks
from projections import ALL
from projections.base import Source

_READ_MODELS: Final = [one.name for one in ALL]


class WriterLike(Protocol):
    """Takes orders for one ledger."""

    @property
    def fails(self) -> bool: ...
    def hand_over(self, orders: Sequence[Order], done: Callable[[], None]) -> Together: ...


class KeyringLike(Protocol):
    """Turns callers' ids into pseudonyms, and what they said into fingerprints."""

    def pseudonym(self, kind: str, value: str) -> UUID: ...
    def fingerprint(self, received: bytes) -> bytes: ...


class LedgerLike(Protocol):
    """Reads the events of one ledger."""

    def head(self) -> int: ...
    def facts(self, after: int, limit: int, personal: bool = False) -> Sequence[Fact]: ...
    def stream(
        self, stream_id: UUID, after_version: int = 0, to_version: int | None = None, personal: bool = False
    ) -> Sequence[Fact]: ...
    def position_at(self, time: datetime) -> int: ...
    def recorded_at(self, positions: Collection[int]) -> dict[int, datetime]: ...
    def about(self, colleague_id: UUID, after: int = 0) -> Sequence[Fact]: ...


class ClockLike(Protocol):
    """Tells the time in UTC."""

    def __call__(self) -> datetime: ...


class MetricsLike(Protocol):
    """Holds the figures of this process."""

    @property
    def registry(self) -> CollectorRegistry: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """An open look at the read models: where to query, and how far they had come when it was opened."""

    source: Source
    position: int


class RehearsalLike(Protocol):
    """Decides orders without recording anything."""

    def answer(self, order: Order) -> Answer: ...


class Services(Protocol):
    """The parts of the container that routers use."""

    @property
    def settings(self) -> Settings: ...
    @property
    def writer(self) -> WriterLike: ...
    @property
    def keyring(self) -> KeyringLike: ...
    @property
    def ledger(self) -> LedgerLike: ...
    @property
    def rehearsal(self) -> RehearsalLike: ...
    @property
    def clock(self) -> ClockLike: ...
    @property
    def metrics(self) -> MetricsLike: ...
    @property
    def webhooks(self) -> Webhooks: ...
    @property
    def courier(self) -> Courier: ...

    def source(self) -> AbstractContextManager[Source]: ...
    def unmoving_source(self) -> AbstractContextManager[Source]: ...
    def publications(self) -> Sequence[Publication]: ...
    def house(self, moment: datetime) -> House: ...
    def vitals(self) -> Vitals: ...


def services_of(request: Request) -> Services:
    """The parts of the application that answers this request."""
    return cast(Services, request.app.state.container)


@contextmanager
def reading(services: Services, *, unmoving: bool = False) -> Iterator[Reading]:
    """A look at the read models of the ledger; `unmoving`, nothing in them changes meanwhile."""
    with services.unmoving_source() if unmoving else services.source() as source:
        # The position first: rows read after it can only be newer than it says.
        yield Reading(source, slowest(source.conn, source.ledger, _READ_MODELS))


def projected(services: Services) -> int:
    """How far the read models have come."""
    with reading(services) as found:
        return found.position
