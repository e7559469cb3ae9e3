"""Aside: large bodies are decoded and checked in a thread, so that no other request waits for them."""

from collections.abc import Callable
from typing import Final, TypeVar

from starlette.concurrency import run_in_threadpool

T = TypeVar("T")
LARGE: Final = 64 * 1024
"""Bytes from which reading a body takes longer than going to a thread and back."""


async def aside(body: bytes, work: Callable[[], T]) -> T:
    """What this work on the body gives: done at once for a small one, in a worker thread for a large one."""
    return work() if len(body) <= LARGE else await run_in_threadpool(work)
