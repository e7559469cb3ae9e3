"""Entropy: where randomness and new ids come from."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from uuid_utils.compat import uuid7


@dataclass(frozen=True, slots=True)
class Entropy:
    """Where randomness and new ids come from; tests give a seeded one."""

    source: Callable[[int], bytes] = os.urandom
    new_id: Callable[[], UUID] = uuid7
    """Ids of events: they sort by time, which tells nothing that the event does not."""
    random_id: Callable[[], UUID] = uuid4
    """Ids of customers and keys: they tell nothing at all."""
