"""Receivers of webhooks: real HTTP servers on loopback that keep what they are told and answer as a test says."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Delivered:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def position(self) -> int:
        """Where the event stands that it tells of."""
        return int(self.json["data"]["position"])


Answer = Callable[[Delivered, BaseHTTPRequestHandler], None]


@dataclass
class Receiver:
    """What one receiver has been told, and how it answers."""

    port: int
    told: list[Delivered] = field(default_factory=list)
    answer: Answer = field(default_factory=lambda: status(204))
    changed: threading.Condition = field(default_factory=threading.Condition)
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when the test is over, so that nobody answers slowly for ever."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def positions(self) -> list[int]:
        return [one.position for one in self.told]

    def take(self, delivered: Delivered) -> None:
        with self.changed:
            self.told.append(delivered)
            self.changed.notify_all()

    def wait_for(self, many: int) -> None:
        """Returns when so many requests have come in all."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.told) >= many, PATIENCE_SECONDS), len(self.told)


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """Answers at once, with this status."""

    def answer(_delivered: Delivered, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if code != 204:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def in_turn(*answers: Answer) -> Answer:
    """Answers with each of these once, in this order, and with the last one ever after."""
    waiting = list(answers)

    def answer(delivered: Delivered, handler: BaseHTTPRequestHandler) -> None:
        (waiting.pop(0) if len(waiting) > 1 else waiting[0])(delivered, handler)

    return answer


@contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that takes everything, until a test says otherwise; with a certificate it speaks https."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = PATIENCE_SECONDS

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            delivered = Delivered(self.path, headers, self.rfile.read(length))
            made.take(delivered)
            made.answer(delivered, self)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """A caller that hung up is what some tests want."""

    with Server(("127.0.0.1", 0), Handler) as server:
        made = Receiver(server.server_address[1])
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        try:
            yield made
        finally:
            made.ended.set()
            server.shutdown()
            serving.join(PATIENCE_SECONDS)
