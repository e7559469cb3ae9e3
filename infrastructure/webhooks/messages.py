"""Messages: what a receiver is told, and of which facts."""

from collections.abc import Callable
from typing import Final, NamedTuple

from domain.kinds import Fact

HEADERS: Final = {"content-type": "application/json", "user-agent": "Amends"}
"""What every message says of itself besides its signature."""


class Message(NamedTuple):
    """What a receiver is told: of which type of event, and the body."""

    type: str
    body: bytes


LATER: Final = Message("", b"")
"""In place of a message about a fact that a newer program recorded: whether it is told, only that one knows."""
Tell = Callable[[Fact], Message | None]
"""What is told of a fact; None for what is told to nobody, LATER for what must wait."""
