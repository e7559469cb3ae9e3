"""Signs: the few facts of a ledger from which the house learns by itself, whoever they are about."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from domain.values import unchanging

SignKind = Literal["untrained", "blocked", "failed", "weighed", "failed_again", "stated", "closed", "reopened"]


@unchanging
class Sign:
    """One of them, as codes and numbers. Where it stands in the ledger says what came before and after."""

    position: int
    kind: SignKind
    event_id: UUID
    stream_id: UUID
    occurred_at: datetime
    recorded_at: datetime
    recovery_id: UUID | None = None
    told_by: UUID | None = None
    """The colleague who told of it."""
    about: str | None = None
    """The topic, the rule, the similarity key, the field that was judged anew, the instrument, the outcome."""
    value: int | None = None
    """The severity, or the customer's answer."""
    customer_value: int | None = None
    """The severity by the customer's word."""
    counts: bool = True
    """False for what somebody told long after, as history or by an import."""
