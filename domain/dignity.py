"""Dignity: for how long it is known whom a report of poor treatment names, and that nothing else tells it.

Source: domain.md section 9; practices S2.2 (whoever hurt a customer without knowing learns of it in private).
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

from domain.kinds import Actor, Elsewhere, Event

KEPT: Final = timedelta(days=180)
"""How long, from when it was recorded, it can be read whom a report names. Then nobody can, for good."""
NAME: Final = "by_colleague"
"""The one field of an event that names a colleague whom it is about, sealed under a key of its own."""
UNSIGNED: Final = "s:withheld"
"""Who did it, where to say so would tell whom a report names."""


def named_in(event: Event) -> UUID | None:
    """The colleague whom this event names; None where it names nobody, or that cannot be read."""
    found = (getattr(event, name) for name in event.COLLEAGUE)
    return next((one for one in found if isinstance(one, UUID)), None)


def signed(actor: Actor, decided: Iterable[Event | Elsewhere]) -> Actor:
    """Who the envelope says did this: nobody by name, where one of these events names that very colleague.

    The envelope stands open for ever. A colleague who reports himself, or gives his side, would be named by it; so
    would he be by his role, where only one has it.
    """
    colleague_id = actor.colleague_id
    if colleague_id is None:
        return actor
    events = (one.event if isinstance(one, Elsewhere) else one for one in decided)
    if colleague_id not in {named_in(event) for event in events if event.COLLEAGUE}:
        return actor
    return Actor(kind="colleague", ref=UNSIGNED, role="other", role_class=actor.role_class)
