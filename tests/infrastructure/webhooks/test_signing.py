"""Signatures, checked by the package that receivers use (standardwebhooks)."""

from base64 import b64decode
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from infrastructure.webhooks.signing import headers, shown

FIRST, SECOND = b"1" * 32, b"2" * 32
BODY = b'{"type":"amends.relationship.opened.v1"}'


def signed(*secrets: bytes, body: bytes = BODY) -> dict[str, str]:
    return headers(secrets, "0192e4a0-7c3a-7b21-9f10-2f6f3c1d0a42", datetime.now(UTC), body)


def test_the_vector_of_the_specification_comes_out():
    secret = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    then = datetime.fromtimestamp(1614265330, UTC)
    made = headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", then, b'{"test": 2432232314}')
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_receiver_with_the_secret_takes_the_message():
    assert shown(FIRST).startswith("whsec_")
    assert Webhook(shown(FIRST)).verify(BODY, signed(FIRST)) == {"type": "amends.relationship.opened.v1"}


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_message_with_another_header_is_not_ours(name: str):
    changed = signed(FIRST)
    middle = len(changed[name]) // 2
    other = "1" if changed[name][middle] == "0" else "0"
    changed[name] = changed[name][:middle] + other + changed[name][middle + 1 :]
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(FIRST)).verify(BODY, changed)


def test_a_message_with_another_body_or_another_secret_is_not_ours():
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(FIRST)).verify(BODY + b" ", signed(FIRST))
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(SECOND)).verify(BODY, signed(FIRST))


def test_while_a_secret_is_rotated_both_receivers_take_the_message():
    both = signed(SECOND, FIRST)
    assert [one[:3] for one in both["webhook-signature"].split(" ")] == ["v1,", "v1,"]
    for secret in (FIRST, SECOND):
        assert Webhook(shown(secret)).verify(BODY, both)
