"""Load: many clients that post at the same time, keep every answer, and try again until they have one."""

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import httpx2

from tests.support.posts import Answer, Batch, Plan, Post, Trying
from tests.support.processes import PATIENCE_SECONDS, Serving

__all__ = ["Answer", "Batch", "Load", "Plan", "Post", "badly_answered", "customers_of"]
GIVES_UP_AFTER_SECONDS: Final = 2 * PATIENCE_SECONDS
LONGEST_REST_SECONDS: Final = 0.5


class Load:
    """Clients at work, client n at server n modulo the number of servers. Leaving the block ends them all."""

    def __init__(self, servers: Sequence[Serving], clients: int) -> None:
        self._servers, self._clients = servers, clients
        self._answered = threading.Condition()
        self._answers: list[Answer] = []
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(clients, thread_name_prefix="client")
        self._working: list[Future[None]] = []

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for server in self._servers:
            server.ready.set()
        self._pool.shutdown()

    def start(self, posts: Iterable[Post | Batch]) -> None:
        """Lets the clients share these posts among themselves; each is drawn when somebody is free to send it."""
        waiting = _Line(posts)
        self._answers = []
        self._working = [
            self._pool.submit(self._work, self._servers[n % len(self._servers)], waiting)
            for n in range(self._clients)
        ]

    def wait_for(self, answers: int) -> None:
        """Returns when so many posts were answered."""
        with self._answered:
            enough = self._answered.wait_for(lambda: len(self._answers) >= answers, 5 * PATIENCE_SECONDS)
        assert enough, f"only {len(self._answers)} of {answers} answers came"

    def finish(self) -> list[Answer]:
        """Every answer, once all posts have one."""
        for one in self._working:
            one.result(20 * PATIENCE_SECONDS)
        return self._answers

    @property
    def working(self) -> bool:
        """Whether some client still has something to ask."""
        return not all(one.done() for one in self._working)

    def _work(self, server: Serving, waiting: "_Line") -> None:
        client = _Client(server)
        try:
            while not self._over.is_set():
                post = waiting.next()
                if post is None:
                    return
                self._keep(self._until_answered(client, post))
        finally:
            client.close()

    def _until_answered(self, client: "_Client", post: Post | Batch) -> list[Answer]:
        trying = Trying()
        while time.monotonic() < trying.began + GIVES_UP_AFTER_SECONDS:
            assert client.server.ready.wait(PATIENCE_SECONDS), "the server did not come back"
            trying.attempts += 1
            response = client.try_once(post)
            answers = None if response is None else post.answers(response, trying)
            if answers is not None:
                return answers
            # As callers are told to: a little later each time.
            self._over.wait(min(0.01 * 2**trying.attempts, LONGEST_REST_SECONDS))
            assert not self._over.is_set(), "the others have given up"
        raise AssertionError(f"{post.key} got no answer in {trying.attempts} attempts")

    def _keep(self, answers: Iterable[Answer]) -> None:
        with self._answered:
            self._answers += answers
            self._answered.notify_all()


class _Line:
    """Posts that several clients draw from."""

    def __init__(self, posts: Iterable[Post | Batch]) -> None:
        self._posts, self._drawing = iter(posts), threading.Lock()

    def next(self) -> Post | Batch | None:
        """The next one; None when there is none left."""
        with self._drawing:
            return next(self._posts, None)


class _Client:
    """One client with one connection, made anew when the server moved."""

    def __init__(self, server: Serving) -> None:
        self.server = server
        self._url, self._http = server.url, server.http()

    def try_once(self, post: Post | Batch) -> httpx2.Response | None:
        """The answer; None when none came, so that nobody knows what became of the post."""
        if self._url != self.server.url:
            self.close()
            self._url, self._http = self.server.url, self.server.http()
        try:
            return post.send(self._http)
        except httpx2.TransportError:
            return None

    def close(self) -> None:
        self._http.close()


def customers_of(answers: Iterable[Answer]) -> dict[int, str]:
    """The id of each customer, by number. Fails when one got two, or a post none."""
    answers = list(answers)
    assert badly_answered(answers)[:5] == []
    known: dict[int, str] = {}
    for answer in answers:
        found = answer.document["customer_id"]
        assert known.setdefault(answer.post.customer, found) == found, "one customer got two ids"
    return known


def badly_answered(answers: Iterable[Answer]) -> list[str]:
    """The posts that were refused without a reason, or taken against a rule."""
    return [
        f"{answer.post} was answered {answer.status}: {answer.document}"
        for answer in answers
        if answer.status != (404 if answer.post.refused else 201)
    ]
