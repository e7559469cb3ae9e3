"""Leading: who may look at what one colleague has on his desk: himself, whoever leads him, and personnel."""

from typing import Annotated
from uuid import UUID

from fastapi import Header

from api.auth import Credential, require
from api.deps import Services
from domain.colleagues.state import Colleague
from domain.errors import NotAllowed
from domain.values import CallerRef

Asking = Annotated[
    CallerRef | None,
    Header(alias="Amends-Colleague", description="who asks, by your own id of him; needs the scope `act_for`"),
]


def told_of(services: Services, caller: Credential, colleague: str | None, asking: str | None) -> UUID | None:
    """The colleague whom this caller may be told of; None where none is asked for.

    Raises NotAllowed for anybody but himself and whoever leads him, and the 403 problem for a key that may not say
    who asks.
    """
    if colleague is None:
        return None
    known_as = services.keyring.pseudonym("colleague", colleague)
    if "personnel" not in caller.scopes:
        _refuse_strangers(services, caller, known_as, asking)
    return known_as


def _refuse_strangers(services: Services, caller: Credential, colleague: UUID, asking: str | None) -> None:
    if asking is None:
        raise NotAllowed("personnel")
    # Only a key that may name colleagues is believed who asks.
    require(caller, "act_for")
    if services.keyring.pseudonym("colleague", asking) not in (colleague, _leader_of(services, colleague)):
        raise NotAllowed("personnel")


def _leader_of(services: Services, colleague: UUID) -> UUID | None:
    state = Colleague.begun(colleague)
    for fact in services.ledger.stream(colleague, personal=False):
        state = state.after(fact)
    return state.manager
