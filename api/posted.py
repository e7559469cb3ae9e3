"""What was posted: a request whose headers are found by name, and whose body is mostly one message."""

from functools import cached_property

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request


class Posted(Request):
    """A request that is read once, quickly. It says what any other request would say."""

    @cached_property
    def headers(self) -> Headers:  # found once, as in the class above
        """Its headers."""
        return _Indexed(raw=self.scope["headers"])

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
        return self._by_name[key.lower().encode("latin-1")].decode("latin-1")

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        found = self._by_name.get(key.lower().encode("latin-1"))
        return default if found is None else found.decode("latin-1")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower().encode("latin-1") in self._by_name
