"""What deciding needs besides the database: the ledger's name, codecs, keys, ids, and how old news may be."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from infrastructure.keys import Keyring
from infrastructure.mapper import Mapper


@dataclass(frozen=True, slots=True)
class Tools:
    """The same for every page of a writer."""

    ledger: str
    mapper: Mapper
    keyring: Keyring
    new_id: Callable[[], UUID]
    """For events and objects: they sort by time."""
    new_stream: Callable[[], UUID]
    """For customers: they tell nothing at all."""
    max_backdate: timedelta
    repair: bool = True
    """Whether damaged snapshots are replaced: who only reads leaves them."""
