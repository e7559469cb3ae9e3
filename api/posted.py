"""What was posted: a request whose headers are found by name, and whose body is mostly one message."""

from typing import Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request, empty_receive, empty_send
from starlette.types import Receive, Scope, Send


class Posted(Request):
    """A request that is read once, quickly. It says what any other request would say."""

    # In place of a property that looks each time whether they were found already.
    headers: Headers = Headers(raw=[])

    def __init__(self, scope: Scope, receive: Receive = empty_receive, send: Send = empty_send) -> None:
        super().__init__(scope, receive, send)
        self.headers = _Indexed(raw=scope["headers"])

    async def body(self) -> bytes:
        """The whole body. Raises ClientDisconnect when its sender hung up before the end."""
        parts: list[bytes] = []
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)


class _Indexed(Headers):
    """Headers found by name without looking through all of them. The first of a name counts."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        super().__init__(raw=raw)
        self._by_name = dict(reversed(raw))

    def __getitem__(self, key: str) -> str:
        return self._by_name[_name(key)].decode("latin-1")

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        found = self._by_name.get(_NAMES.get(key) or _name(key))
        return default if found is None else found.decode("latin-1")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and _name(key) in self._by_name


def _name(key: str) -> bytes:
    return key.lower().encode("latin-1")


_NAMES: Final = {
    key: _name(key) for key in ("authorization", "content-type", "idempotency-key", "if-match", "if-none-match")
}
"""Those that are asked for of every post."""
