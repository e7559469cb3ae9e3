"""Attempts: what is asked once, whatever comes of it, so that a test sees what callers see in a fault."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Final

import httpx2

from tests.support.load import Answer, Load
from tests.support.posts import Post, Trying
from tests.support.processes import Serving, client

HANGS_AFTER_SECONDS: Final = 10.0
"""Nobody may be kept waiting longer than this, whatever became of the database."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of sending one post once; nothing at all when the connection broke."""

    post: Post
    response: httpx2.Response | None
    answer: Answer | None = None
    """What the caller was told of it; None when he was put off or heard nothing."""

    @property
    def answered(self) -> bool:
        """Whether the caller was told what became of it."""
        return self.answer is not None


def attempt(server: Serving, posts: Sequence[Post], clients: int) -> list[Attempt]:
    """Sends every post once, so many at a time. Fails when one of them is kept waiting."""
    with (
        client(
            base_url=server.url,
            headers=dict(server.headers),
            timeout=HANGS_AFTER_SECONDS,
            limits=httpx2.Limits(max_connections=clients),
        ) as http,
        ThreadPoolExecutor(clients) as pool,
    ):
        return list(pool.map(lambda post: _sent(http, post), posts))


def _sent(http: httpx2.Client, post: Post) -> Attempt:
    trying = Trying(attempts=1)
    try:
        response = post.send(http)
    except httpx2.TimeoutException as hanging:
        raise AssertionError(f"no answer within {HANGS_AFTER_SECONDS:.0f} s: {post}") from hanging
    except httpx2.TransportError:
        return Attempt(post, None)
    [answer] = post.answers(response, trying) or [None]
    return Attempt(post, response, answer)


def read(server: Serving, path: str) -> httpx2.Response:
    """The answer to a read, which must come in time."""
    with client(timeout=HANGS_AFTER_SECONDS) as http:
        return http.get(server.url + path, headers=dict(server.headers))


def answers_of(attempts: Iterable[Attempt]) -> list[Answer]:
    """What was told to those who were told."""
    return [one.answer for one in attempts if one.answer is not None]


def refusals(attempts: Iterable[Attempt]) -> list[dict[str, Any]]:
    """The problems of those that were put off. Each must say when to come back."""
    put_off = [one.response for one in attempts if one.response is not None and not one.answered]
    assert all(int(one.headers["Retry-After"]) >= 1 for one in put_off)
    return [one.json() for one in put_off]


def slugs(problems: Iterable[dict[str, Any]]) -> set[str]:
    """Which kinds of problem these are."""
    return {one["type"].rpartition("/")[2] for one in problems}


def sent_again(server: Serving, posts: Sequence[Post], clients: int) -> list[Answer]:
    """The answer to every post, each sent until it has one."""
    with Load([server], clients) as load:
        load.start(posts)
        answers = load.finish()
    # What is told again was recorded at some time before.
    return [replace(one, began=-inf) if one.replayed else one for one in answers]
