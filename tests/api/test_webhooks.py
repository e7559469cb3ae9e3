"""Webhooks over HTTP: made, looked at, changed, tried out and ended by administrators."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook

from infrastructure.keys import WrongKey
from infrastructure.recorder import read_records
from infrastructure.webhooks.endpoints import MOST, TRIALS
from infrastructure.webhooks.messages import LATER
from infrastructure.webhooks.tables import webhooks
from tests.support.receivers import PATIENCE_SECONDS, Receiver, status
from tests.support.webhooks import Office, office

PATH = "/v1/webhooks"
NO_NAME = "crm" * 22
"""Longer than any part of a name may be, so that no resolver is asked, which may take its time to say no."""


def rows(desk: Office) -> list[Any]:
    with desk.house.container.delivering.connect() as conn:
        return list(conn.execute(select(webhooks)))


def test_a_webhook_is_shown_with_all_but_its_secret(desk: Office, crm: Receiver):
    desk.happen("before it was made")
    head = desk.house.container.ledger.head()
    with desk.telling(crm, types=["amends.recovery.resolved.v1", "amends.failure.reported.v1"]) as hook:
        assert hook.now() == {
            "webhook_id": hook.webhook_id,
            "url": crm.url,
            "types": ["amends.failure.reported.v1", "amends.recovery.resolved.v1"],
            "state": "active",
            "position": head,
            "behind": 0,
            "failures": 0,
            "failing_since": None,
            "last_failure": None,
            "next_attempt_at": None,
            "delivered_at": None,
            "dead_letters": 0,
            "secret_rotating_until": None,
            "created_at": desk.house.clock.now.isoformat().replace("+00:00", "Z"),
        }
        assert desk.house.get(PATH) == {"data": [hook.now()]}
    assert desk.house.get(PATH) == {"data": []}
    assert desk.house.get(hook.path, status=404)["type"].endswith("/unknown_ref")


def test_a_secret_is_shown_once_and_no_row_holds_it_in_the_clear(desk: Office, crm: Receiver):
    with desk.telling(crm) as hook:
        rotated = desk.house.post(f"{hook.path}/rotate-secret", status=200)
        assert hook.secret != rotated["secret"]
        assert rotated["former_until"] == hook.now()["secret_rotating_until"]
        shown = json.dumps(desk.house.get(PATH))
        [row] = rows(desk)
        for secret in (hook.secret, rotated["secret"]):
            assert secret.startswith("whsec_")
            assert secret not in shown
            clear = Webhook(secret)._whsecret
            assert len(clear) == 32
            assert all(clear not in bytes(one) for one in (row.secret, row.former))
            assert secret not in str(row)


def test_a_sealed_secret_opens_for_its_own_webhook_alone(desk: Office, crm: Receiver):
    keyring = desk.house.container.keyring
    with desk.telling(crm) as hook, desk.telling(f"{crm.url}/other"):
        first, second = sorted(rows(desk), key=lambda one: str(one.webhook_id) != hook.webhook_id)
        opened = keyring.open_secret("main", first.webhook_id, first.secret)
        assert opened == Webhook(hook.secret)._whsecret
        for ledger, owner in (("main", second.webhook_id), ("other", first.webhook_id)):
            with pytest.raises(WrongKey):
                keyring.open_secret(ledger, owner, first.secret)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://127.0.0.1/", "scheme"),
        ("https://u:p@crm.example.com/", "userinfo"),
        ("https://169.254.169.254/latest/meta-data", "address"),
        ("https://0xa9fea9fe/", "address"),
        ("https://[64:ff9b::a9fe:a9fe]/", "address"),
        ("https://10.0.0.1:5432/", "address"),
        ("https://8.8.8.8:25/", "port"),
        (f"https://{NO_NAME}.example.com/", "unresolved"),
        ("https://crm example/", "url"),
    ],
)
def test_t_34_t_36_an_address_that_must_not_be_reached_is_refused_when_it_is_named(
    desk: Office, crm: Receiver, url: str, reason: str
):
    said = desk.house.post(PATH, {"url": url}, status=422)
    assert (said["type"].rpartition("/")[2], said["reason"]) == ("address_refused", reason)
    with desk.telling(crm) as hook:
        refused = desk.house.http.patch(hook.path, json={"url": url})
        assert (refused.status_code, refused.json()["reason"]) == (422, reason)
        assert hook.now()["url"] == crm.url


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({}, "/url"),
        ({"url": 7}, "/url"),
        ({"url": ""}, "/url"),
        ({"url": "https://crm.example.com/", "types": ["amends.nothing.v1"]}, "/types/0"),
        ({"url": "https://crm.example.com/", "types": ["amends.colleague.joined.v1"]}, "/types/0"),
        ({"url": "https://crm.example.com/", "types": "amends.failure.reported.v1"}, "/types"),
        ({"url": "https://crm.example.com/", "after": -1}, "/after"),
        ({"url": "https://crm.example.com/", "secret": "mine"}, "/secret"),
    ],
)
def test_what_is_wrong_with_a_webhook_is_pointed_at(desk: Office, said: dict[str, Any], pointer: str):
    problem = desk.house.post(PATH, said, status=422)
    assert [one["pointer"] for one in problem["errors"]] == [pointer]


def test_a_position_that_is_not_reached_yet_is_refused(desk: Office, crm: Receiver):
    beyond = desk.house.container.ledger.head() + 1
    assert desk.house.post(PATH, {"url": crm.url, "after": beyond}, status=404)["what"] == "event"
    with desk.telling(crm) as hook:
        for said in ({"after": beyond}, {"position": beyond}):
            assert desk.house.post(f"{hook.path}/resend", said, status=404)["what"] == "event"
        for said in ({}, {"after": 0, "position": 1}, {"position": 0}):
            problem = desk.house.post(f"{hook.path}/resend", said, status=422)
            assert problem["type"].endswith("/validation_failed")
        assert hook.now()["position"] == beyond - 1


def test_a_change_of_nothing_or_of_what_is_not_there_is_refused(desk: Office, crm: Receiver):
    with desk.telling(crm) as hook:
        for said in ({}, {"state": "gone"}, {"position": 0}):
            assert desk.house.http.patch(hook.path, json=said).status_code == 422
        assert hook.change(types=["amends.failure.reported.v1"])["types"] == ["amends.failure.reported.v1"]
        assert hook.change(types=[])["types"] == []
    for verb, path in (("PATCH", ""), ("DELETE", ""), ("POST", "/rotate-secret"), ("POST", "/test")):
        answer = desk.house.http.request(verb, f"{hook.path}{path}", json={"state": "paused"})
        assert (answer.status_code, answer.json()["what"]) == (404, "webhook")
    assert desk.house.get(f"{hook.path}/dead-letters", status=404)["what"] == "webhook"


def test_made_again_it_is_the_one_that_there_is(desk: Office, crm: Receiver):
    with desk.telling(crm) as hook:
        problem = desk.house.post(PATH, {"url": crm.url}, status=409)
        assert (problem["type"].rpartition("/")[2], problem["ref"]) == ("already_exists", hook.webhook_id)
        with desk.telling(crm, types=["amends.failure.reported.v1"]):
            assert len(desk.house.get(PATH)["data"]) == 2


def test_there_are_not_more_than_may_be(desk: Office, crm: Receiver):
    with desk.telling(f"{crm.url}/first"):
        [one] = rows(desk)
        others = [one._asdict() | {"webhook_id": uuid4(), "url": f"{crm.url}/{n}"} for n in range(MOST - 1)]
        with desk.house.container.delivering.begin() as conn:
            conn.execute(webhooks.insert(), others)
        problem = desk.house.post(PATH, {"url": crm.url}, status=409)
        assert (problem["type"].rpartition("/")[2], problem["limit"]) == ("webhook_limit", MOST)
        assert desk.house.http.delete(f"{PATH}/{others[0]['webhook_id']}").status_code == 204
        with desk.telling(crm):
            assert len(desk.house.get(PATH)["data"]) == MOST
        with desk.house.container.delivering.begin() as conn:
            conn.execute(webhooks.delete().where(webhooks.c.webhook_id != one.webhook_id))


def test_a_test_message_is_signed_and_tells_of_nothing(desk: Office, crm: Receiver):
    with desk.telling(crm) as hook:
        assert desk.house.post(f"{hook.path}/test", status=200) == {
            "delivered": True,
            "status": 204,
            "reason": None,
        }
        [told] = crm.told
        assert (told.json["type"], told.json["data"]) == ("amends.webhook.test", {"ledger": "main"})
        signed = Webhook(hook.secret).sign(told.id, desk.house.clock.now, told.body.decode())
        assert told.headers["webhook-signature"] == signed
        crm.answer = status(404, b"words of the receiver")
        tried = desk.house.post(f"{hook.path}/test", status=200)
        assert tried == {"delivered": False, "status": 404, "reason": "status"}
        assert hook.now()["failures"] == 0


def test_few_receivers_are_tried_out_at_once_and_whoever_comes_then_is_told_to_come_back(
    desk: Office, crm: Receiver
):
    with desk.telling(crm) as hook:
        with ExitStack() as others:
            for _ in range(TRIALS):
                others.enter_context(desk.house.container.webhooks.trials)
            problem = desk.house.post(f"{hook.path}/test", status=503)
            assert problem["type"].endswith("/busy")
            assert crm.told == []
        for _ in range(TRIALS + 1):
            assert desk.house.post(f"{hook.path}/test", status=200)["delivered"]


def test_a_server_that_stops_waits_for_no_receiver_that_is_tried_out(
    sqlite_database: str, tmp_path: Path, crm: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("infrastructure.webhooks.courier.PING_SECONDS", PATIENCE_SECONDS)
    crm.answer = lambda told, handler: (crm.ended.wait(), status(204)(told, handler))[1]
    with office(sqlite_database, tmp_path) as desk, desk.telling(crm) as hook, ThreadPoolExecutor(1) as caller:
        trying = caller.submit(desk.house.post, f"{hook.path}/test", status=503)
        crm.wait_for(1)
        desk.house.container.stop_reading()
        assert trying.result()["type"].endswith("/busy")


def test_what_a_newer_program_recorded_waits_and_what_another_one_did_is_told_to_nobody(desk: Office):
    parts = desk.house.container
    [position] = desk.happen("of a newer kind", 0)
    with parts.delivering.connect() as conn:
        [known] = read_records(conn, "main", position - 1, 1)
    newer = known._replace(topic="parade.held")
    another = known._replace(topic="pkg:Class", header=b"", public=b"{}", salt=b"")
    told = [parts.told_of(parts.mapper.fact(one)) for one in (known, newer, another)]
    assert [None if one is None else one.type for one in told] == ["amends.relationship.opened.v1", "", None]
    assert told[1] is LATER


def test_dead_letters_come_in_pages(desk: Office, crm: Receiver):
    positions = desk.happen("pages", 3)
    with desk.telling(crm) as hook:
        for position in positions:
            hook.resend(position=position)
        crm.answer = status(500)
        desk.deliver()
        first = desk.house.http.get(f"{hook.path}/dead-letters?limit=2")
        assert [one["position"] for one in first.json()["data"]] == positions[:2]
        assert 'rel="next"' in first.headers["link"]
        rest = desk.house.get(f"{hook.path}/dead-letters?after={first.json()['next']}")
        assert [one["position"] for one in rest["data"]] == positions[2:]
        assert rest["next"] is None


@pytest.mark.parametrize("scopes", [("read", "append", "personal", "audit"), ("personnel",)])
def test_only_administrators_see_or_touch_webhooks(desk: Office, crm: Receiver, scopes: tuple[str, ...]):
    key = desk.house.key(*scopes)
    with desk.telling(crm) as hook:
        for verb, path in (
            ("GET", PATH),
            ("POST", PATH),
            ("GET", hook.path),
            ("PATCH", hook.path),
            ("DELETE", hook.path),
            ("GET", f"{hook.path}/dead-letters"),
            *(("POST", f"{hook.path}/{one}") for one in ("rotate-secret", "resend", "test")),
        ):
            answer = desk.house.http.request(verb, path, json={"url": crm.url}, headers=key)
            assert (answer.status_code, answer.json()["scope"]) == (403, "admin"), (verb, path)


def test_a_webhook_of_another_ledger_is_not_there(desk: Office, crm: Receiver):
    engine = desk.house.container.delivering
    with desk.telling(crm) as hook:
        moved = webhooks.update().where(webhooks.c.url == crm.url)
        with engine.begin() as conn:
            conn.execute(moved.values(ledger="other"))
        assert desk.house.get(PATH) == {"data": []}
        assert desk.house.get(hook.path, status=404)["what"] == "webhook"
        desk.happen("of this ledger")
        desk.deliver()
        assert crm.told == []
        with engine.begin() as conn:
            conn.execute(moved.values(ledger="main"))
