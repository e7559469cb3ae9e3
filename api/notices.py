"""Notices: what webhooks say of an event. Its type, ids and where it stands, and never what happened to whom."""

from typing import Final

import orjson

from api.outgoing import is_foreign, of_colleague
from domain.kinds import Fact
from infrastructure.facts import FOREIGN
from infrastructure.webhooks.messages import LATER, Message

PING: Final = "amends.webhook.test"
"""The type of a message that tells of no event."""


def notice(fact: Fact, ledger: str, base_url: str) -> Message | None:
    """The message about a fact; None for what is about a colleague, which is no receiver's affair.

    LATER for what a newer Amends recorded: it may be about a colleague, too. None for what another program did.
    `read` is where the event itself is read with a key of the ledger.
    """
    if of_colleague(fact):
        return None
    if is_foreign(fact.event):
        return None if fact.source == FOREIGN else LATER
    event_type = fact.event.TYPE
    body = {
        "type": event_type,
        "timestamp": fact.occurred_at,
        "data": {
            "id": str(fact.event_id),
            "ledger": ledger,
            "position": fact.position,
            "subject": str(fact.stream_id),
            "version": fact.version,
            "recorded_at": fact.recorded_at,
            "read": f"{base_url}/v1/events?after={fact.position - 1}&limit=1",
        },
    }
    return Message(event_type, orjson.dumps(body, option=orjson.OPT_UTC_Z))


def ping(ledger: str, now: object) -> Message:
    """The message that only asks whether somebody listens."""
    body = {"type": PING, "timestamp": now, "data": {"ledger": ledger}}
    return Message(PING, orjson.dumps(body, option=orjson.OPT_UTC_Z))
