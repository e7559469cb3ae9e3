"""Randomness that comes out the same each time, for tests that compare bytes."""

from random import Random
from uuid import UUID

from infrastructure.entropy import Entropy


def seeded(seed: int = 1) -> Entropy:
    """Entropy in which every draw follows from the seed."""
    random = Random(seed)
    return Entropy(
        source=random.randbytes,
        new_id=lambda: UUID(bytes=random.randbytes(16), version=4),
        random_id=lambda: UUID(bytes=random.randbytes(16), version=4),
    )
