"""The line to a receiver, over real connections on loopback (T-35, T-36)."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infrastructure.webhooks.addresses import Allowed, Guard
from infrastructure.webhooks.answers import Answer
from infrastructure.webhooks.line import ANSWER_BYTES, Line, _tls
from tests.support.certificates import certificate_for
from tests.support.receivers import Delivered, Receiver, in_turn, receiver, status

HEADERS = {"webhook-id": "one"}


def guard(*answers: Sequence[str], allowed: Sequence[str] = ("127.0.0.0/8",)) -> Guard:
    """A guard whose look-ups give these addresses, one after the other, and the last ever after."""
    waiting = list(answers or [("127.0.0.1",)])
    resolve = lambda host, port: waiting.pop(0) if len(waiting) > 1 else waiting[0]  # noqa: E731
    return Guard(Allowed.of(allowed, http=True), resolve)


def said(url: str, by: Guard | None = None, within_seconds: float = 10.0) -> Answer:
    with Line(url, by or guard(), within_seconds) as line:
        return line.post(HEADERS, b"{}")


def test_a_receiver_is_told_under_its_own_name_and_its_status_is_the_answer(crm: Receiver):
    assert said(f"http://crm.internal:{crm.port}/hooks?tenant=7") == Answer(204, None)
    [told] = crm.told
    assert (told.path, told.body) == ("/hooks?tenant=7", b"{}")
    assert told.headers["host"] == f"crm.internal:{crm.port}"
    assert told.headers["webhook-id"] == "one"


def test_one_connection_serves_for_many_messages(crm: Receiver):
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    with Line(crm.url, Guard(Allowed.of(["127.0.0.1"], http=True), resolve)) as line:
        assert [line.post(HEADERS, b"{}").status for _ in range(3)] == [204, 204, 204]
    assert looked_up == ["127.0.0.1"]


def test_t_35_a_name_that_moves_inwards_after_the_check_is_not_followed(crm: Receiver):
    moving = guard(("8.8.8.8",), ("127.0.0.1",), allowed=())
    url = "https://crm.example.com/"
    assert moving.reach(moving.target(url)) == ["8.8.8.8"]  # as when the webhook was made
    assert said(url, moving) == Answer(None, "address_refused")
    assert crm.told == []


def test_t_35_the_connection_goes_to_the_address_that_was_checked_and_looks_up_nothing_more(crm: Receiver):
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["127.0.0.2"]

    by = Guard(Allowed.of(["127.0.0.1"], http=True), resolve)
    assert said(f"http://crm.internal:{crm.port}/", by) == Answer(204, None)
    assert looked_up == ["crm.internal"]


def test_where_one_address_does_not_answer_the_next_is_tried(crm: Receiver):
    assert said(crm.url, guard(("127.0.0.9", "127.0.0.1"))) == Answer(204, None)


@contextmanager
def swallowing(address: str, port: int) -> Iterator[None]:
    """An address that takes nobody in and turns nobody away."""
    with socket.socket() as full, socket.socket() as first:
        full.bind((address, port))
        full.listen(0)
        first.connect((address, port))  # the one place in the queue is taken, and nobody accepts
        yield


def test_an_address_that_stays_silent_leaves_the_next_one_its_time(crm: Receiver):
    # Ten shares of one and a half seconds: the silent one takes its own, and nobody else's.
    by = guard(("127.0.0.9", *["127.0.0.1"] * 9))
    with swallowing("127.0.0.9", crm.port):
        assert said(crm.url, by, within_seconds=15.0) == Answer(204, None)


def hangs_up(delivered: Delivered, handler: Any) -> None:
    handler.close_connection = True


def test_a_kept_connection_that_has_ended_is_made_anew_once(crm: Receiver):
    crm.answer = in_turn(status(204), hangs_up, status(204), hangs_up)
    with Line(crm.url, guard()) as line:
        assert [line.post(HEADERS, b"{}") for _ in range(2)] == [Answer(204, None)] * 2
        assert line.post(HEADERS, b"{}") == Answer(None, "broken_answer")
    assert len(crm.told) == 5


def test_a_new_connection_that_ends_without_an_answer_is_a_broken_answer(crm: Receiver):
    crm.answer = hangs_up
    assert said(crm.url) == Answer(None, "broken_answer")
    assert len(crm.told) == 1


def test_t_36_a_redirect_is_not_followed(crm: Receiver):
    with receiver() as inner:
        crm.answer = status(307, Location=inner.url)
        assert said(crm.url) == Answer(307, "redirect")
        assert inner.told == []


@pytest.mark.parametrize(
    ("code", "fault"), [(200, None), (202, None), (299, None), (400, "status"), (410, "gone"), (503, "status")]
)
def test_only_statuses_from_200_to_299_mean_that_it_was_taken(crm: Receiver, code: int, fault: str | None):
    crm.answer = status(code, b"words of the receiver")
    assert said(crm.url) == Answer(code, fault)


@pytest.mark.parametrize(("code", "kept"), [(429, "120"), (503, "120"), (500, None), (200, None)])
def test_how_long_a_receiver_wants_to_be_left_alone_is_kept_where_he_has_too_much_to_do(
    crm: Receiver, code: int, kept: str | None
):
    crm.answer = status(code, Retry_After="120")
    assert said(crm.url).retry_after == kept


def test_t_36_of_a_long_answer_only_the_beginning_is_read(crm: Receiver):
    sent: list[int] = []

    def endless(delivered: Delivered, handler: object) -> None:
        handler.send_response(200)  # type: ignore[attr-defined]
        handler.send_header("Content-Length", str(10**9))  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        while not crm.ended.is_set():
            sent.append(handler.wfile.write(b"x" * ANSWER_BYTES))  # type: ignore[attr-defined]

    crm.answer = endless
    assert said(crm.url) == Answer(200, None)
    assert len(sent) < 400  # what was on its way when the connection was closed


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 2"], ids=["silent", "dripping"])
def test_t_36_whoever_answers_slowly_or_never_is_cut_off(crm: Receiver, first: bytes):
    def slowly(delivered: Delivered, handler: object) -> None:
        handler.wfile.write(first)  # type: ignore[attr-defined]
        while first and not crm.ended.wait(0.01):
            handler.wfile.write(b"0")  # type: ignore[attr-defined]
        crm.ended.wait()

    crm.answer = slowly
    assert said(crm.url, within_seconds=0.2) == Answer(None, "timeout")


def test_a_look_up_that_takes_too_long_is_not_waited_for():
    over = threading.Event()

    def never(host: str, port: int) -> list[str]:
        over.wait()
        return []

    assert said("http://crm.internal/", Guard(Allowed(http=True), never), 0.05) == Answer(None, "timeout")
    over.set()


def test_nobody_there_is_unreachable_and_no_http_is_a_broken_answer(crm: Receiver):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # it listens to nobody, and nobody else can have its port
        assert said(f"http://127.0.0.1:{taken.getsockname()[1]}/") == Answer(None, "unreachable")

    def nonsense(delivered: Delivered, handler: object) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")  # type: ignore[attr-defined]

    crm.answer = nonsense
    assert said(crm.url) == Answer(None, "broken_answer")


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver with a certificate for crm.internal, by an authority that this machine trusts."""
    tls = certificate_for("crm.internal", tmp_path / "crm.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "crm.pem"))
    _tls.cache_clear()
    with receiver(tls) as made:
        yield made
    _tls.cache_clear()


def test_a_certificate_is_checked_for_the_name_while_the_connection_goes_to_the_checked_address(
    certified: Receiver,
):
    assert said(f"https://crm.internal:{certified.port}/") == Answer(204, None)
    assert said(f"https://erp.internal:{certified.port}/") == Answer(None, "tls")
    assert [one.headers["host"] for one in certified.told] == [f"crm.internal:{certified.port}"]


def test_a_certificate_by_nobody_this_machine_trusts_is_not_taken(certified: Receiver, tmp_path: Path):
    with receiver(certificate_for("crm.internal", tmp_path / "other.pem")) as other:
        assert said(f"https://crm.internal:{other.port}/") == Answer(None, "tls")
        assert other.told == []


def test_a_receiver_without_a_certificate_is_not_spoken_to(crm: Receiver):
    assert said(crm.url.replace("http:", "https:")) == Answer(None, "tls")
    assert crm.told == []


def test_no_proxy_of_the_surroundings_is_asked(crm: Receiver, monkeypatch: pytest.MonkeyPatch):
    with receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        assert said(crm.url) == Answer(204, None)
        assert proxy.told == []
