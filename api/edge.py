"""The edge: safety headers, one log line and one count for every request; a fault leaves as a problem."""

import time
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import noting, tracing
from api.http_metrics import HttpMetrics
from api.logs import of_fault
from api.problems import document, response

log = structlog.get_logger("amends.access")
GONE: Final = 499
"""The status in the log of a caller who hung up; nobody hears it."""
_KNOWN_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NOTHING: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_PRIVATE: Final = (b"cache-control", b"private, no-store")


class Edge:
    """The outermost layer of ours. Log lines hold the path's template, never the path or the query."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        base_url: str,
        metrics: HttpMetrics,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app, self._base_url, self._metrics, self._clock = app, base_url, metrics, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        note = noting.begin(tracing.of_headers(scope["headers"]))
        started, answer = self._clock(), _Answer(send, note.request)
        try:
            await self._app(scope, receive, answer)
        except ClientDisconnect:
            answer.status = GONE
        except Exception as fault:  # noqa: BLE001 - the last line: told as a problem, logged without its values
            log.error("fault", **of_fault(fault))
            noting.note_problem("fault")
            if not answer.status:
                problem = document("fault", "we have a fault; it was logged", {}, self._base_url)
                await response(problem)(scope, receive, answer)
        finally:
            self._tell(scope, answer, note, self._clock() - started)

    def _tell(self, scope: Scope, answer: "_Answer", note: noting.Note, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _KNOWN_METHODS else "other"
        route = scope.get("amends.route") or getattr(scope.get("route"), "path", None)
        # Cancelled before it was answered: nobody hears that either.
        status = answer.status or GONE
        self._metrics.answered(route, method, status, seconds, note.problems)
        line = {"method": method, "status": status, "ms": round(seconds * 1000, 2)}
        if route is not None:
            line["route"] = route
        caller = scope.get("amends.caller")
        if caller is not None:
            line["ledger"], line["key"] = caller.ledger, caller.key_id
        if answer.position is not None:
            line["position"] = answer.position
        note.tell(line)
        log.info("request", **line)


class _Answer:
    """The send channel, adding headers and remembering what the log line needs."""

    def __init__(self, send: Send, request: str) -> None:
        self._send, self._request = send, request
        self.status = 0
        self.position: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._completed(message.get("headers", ()))
        await self._send(message)

    def _completed(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        told = [*headers, (b"request-id", self._request.encode()), *_HEADERS]
        names = dict(told)
        position = names.get(b"amends-position")
        if position is not None:
            self.position = int(position)
        told += [one for one in (_NOTHING, _PRIVATE) if one[0] not in names]
        return told
