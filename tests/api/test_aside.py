"""Aside: small bodies are read at once, large ones in a thread, so that nobody else waits for them."""

import threading

import anyio
import pytest

from api.aside import LARGE, aside
from api.problems import ProblemError


@pytest.mark.parametrize(("size", "beside"), [(LARGE, False), (LARGE + 1, True)])
def test_only_a_large_body_is_read_in_another_thread(size: int, beside: bool):
    async def read_in() -> int:
        return await aside(b"x" * size, threading.get_ident)

    assert (anyio.run(read_in) != threading.get_ident()) is beside


def test_what_is_refused_there_is_refused_here():
    def refuse() -> None:
        raise ProblemError("json_invalid")

    with pytest.raises(ProblemError):
        anyio.run(aside, b"x" * (LARGE + 1), refuse)
