"""What is said in answer: JSON that is ready, with headers that are bytes already."""

from collections.abc import Iterable
from typing import Final

from starlette.responses import Response

_JSON: Final = (b"content-type", b"application/json")


class Said(Response):
    """An answer like any other, made without asking what its body and headers may be."""

    media_type = "application/json"

    def __init__(self, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.status_code, self.body, self.background = status, body, None
        self.raw_headers = [*headers, (b"content-length", str(len(body)).encode()), _JSON]
