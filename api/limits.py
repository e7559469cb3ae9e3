"""Limits at the door: how large a body may be, and that nobody hides its size in an encoding."""

from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.noting import note_problem
from api.problems import ProblemError, document, response

_CLOSE: Final = {"Connection": "close"}


class BodyLimit:
    """Refuses encoded bodies (415) and bodies over the limit (413) before they are read to the end."""

    def __init__(self, app: ASGIApp, *, limit: int, base_url: str) -> None:
        self._app, self._limit, self._base_url = app, limit, base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value for name, value in scope["headers"] if name in _LOOKED_AT}
        slug = self._refusal(headers)
        if slug is not None:
            note_problem(slug)
            problem = document(slug, "", self._facts(slug), self._base_url)
            await response(problem, _CLOSE)(scope, receive, send)
            return
        await self._app(scope, _Counted(receive, self._limit) if headers else receive, send)

    def _refusal(self, headers: Mapping[bytes, bytes]) -> str | None:
        if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
            return "encoding_unsupported"
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and (len(length) > 18 or int(length) > self._limit):
            return "body_too_large"
        return None

    def _facts(self, slug: str) -> dict[str, int]:
        return {"limit": self._limit} if slug == "body_too_large" else {}


_LOOKED_AT: Final = frozenset((b"content-encoding", b"content-length", b"transfer-encoding"))


class _Counted:
    """A receive channel that stops at the limit, whatever length was announced."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive, self._limit, self._seen = receive, limit, 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit:
            raise ProblemError("body_too_large", headers=_CLOSE, limit=self._limit)
        return message
