"""Signing: by which a receiver knows that a message is ours and whole (Standard Webhooks 1.0.0)."""

import hmac
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
OVERLAP: Final = timedelta(hours=24)
"""How long messages carry the signature of the secret before, too, after it was rotated."""


def shown(secret: bytes) -> str:
    """The secret as its receiver is told it."""
    return PREFIX + b64encode(secret).decode()


def headers(secrets: Iterable[bytes], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message: its id, when it is sent, and one signature for each secret."""
    timestamp = str(int(now.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = (b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }
