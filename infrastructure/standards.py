"""Standards: what the house goes by, as the writer of a ledger and its readers know it."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from domain.publishing import REFERENCE, Publication, in_force, turning_points
from domain.standards.house import House
from infrastructure import lookup
from infrastructure.mapper import Mapper
from infrastructure.record import Told
from infrastructure.states import load

_TOPICS: Final = frozenset(("standard.published", "standard.retired", "rule.reviewed"))


def read_publications(
    conn: Connection, mapper: Mapper, ledger: str, *, repair: bool = False
) -> dict[UUID, Publication]:
    """Every standard ever published in this ledger, by stream. Only to `repair` snapshots is anything written."""
    return load(conn, mapper, ledger, lookup.all_of(conn, ledger, REFERENCE).values(), Publication, repair=repair)


class Standards:
    """The standards of one ledger, kept until somebody publishes: they are asked for with every command."""

    def __init__(self, mapper: Mapper, ledger: str, *, repair: bool = True) -> None:
        self._mapper, self._ledger, self._repair = mapper, ledger, repair
        self._publications: dict[UUID, Publication] | None = None
        self._points: list[datetime] = []
        self._houses: dict[int, House] = {}

    def house(self, conn: Connection, moment: datetime) -> House:
        """The house at this moment."""
        if self._publications is None:
            self._keep(read_publications(conn, self._mapper, self._ledger, repair=self._repair))
        between = bisect_right(self._points, moment)
        if between not in self._houses:
            # The same from one turning point to the next; before the first and without any, what ships.
            self._houses[between] = self._at(moment)
        return self._houses[between]

    def _at(self, moment: datetime) -> House:
        return House.at(moment, in_force((self._publications or {}).values(), moment))

    def take(self, published: Publication) -> None:
        """Goes by this one from now on; it may still be forgotten again."""
        self._keep({**(self._publications or {}), published.stream_id: published})

    def hear(self, told: Iterable[Told]) -> None:
        """Forgets everything when what others appended changes the house."""
        if any(one.topic in _TOPICS for one in told):
            self.forget()

    def forget(self) -> None:
        """Reads everything anew when it is next asked for."""
        self._publications = None
        self._houses.clear()

    def _keep(self, publications: dict[UUID, Publication]) -> None:
        self._publications, self._points = publications, turning_points(publications.values())
        self._houses.clear()
