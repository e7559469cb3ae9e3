"""Load: many clients that post at the same time, keep every answer, and try again until they have one."""

import queue
import random
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import httpx2

from tests.support.checker import Acknowledged, Entry
from tests.support.processes import PATIENCE_SECONDS, Serving

MOST_ATTEMPTS: Final = 100
SOURCE: Final = "urn:test"
MOVES: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("apologise", "apology.made", {"said": "regret"}),
    ("apologise", "apology.made", {"said": "admits_and_commits", "feeling_named": True}),
    ("update-customer", "customer.updated", {"kind": "progress"}),
    ("contact-again", "customer.contacted_again", {"channel": "phone", "repeated_information": True}),
    ("request-information", "information.requested", {"questions": 2}),
    ("state-satisfaction", "satisfaction.stated", {"instrument": "CSAT", "value": 3, "verbatim": "so so"}),
    ("make-gesture", "gesture.made", {"kind": "surprise"}),
)
"""(path, topic, body) of moves that no rule refuses while a recovery is open."""


@dataclass(frozen=True, slots=True)
class Post:
    """One request, decided before it is sent: whoever sends it again sends the very same."""

    key: str
    customer: int
    path: str
    body: Mapping[str, Any]
    is_event: bool = False
    """A CloudEvent, whose id is its key; else a command with an Idempotency-Key."""
    refused: bool = False
    """Whether a rule forbids it, so that it must leave no trace."""

    def send(self, http: httpx2.Client) -> httpx2.Response:
        """The answer of the server behind this client."""
        if self.is_event:
            return http.post(
                "/v1/events", json=dict(self.body), headers={"Content-Type": "application/cloudevents+json"}
            )
        return http.post(self.path, json=dict(self.body), headers={"Idempotency-Key": f'"{self.key}"'})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a post in the end."""

    post: Post
    status: int
    document: Mapping[str, Any]
    replayed: bool
    attempts: int

    @property
    def acknowledged(self) -> Acknowledged:
        """The receipts, under the key they were given for."""
        return Acknowledged(self.post.key, tuple(Entry(**one) for one in self.document.get("receipts", ())))


class Plan:
    """What a number of customers will tell. The same seed tells the same."""

    def __init__(self, seed: int, customers: int) -> None:
        self._chance, self._customers = random.Random(seed), customers
        self._recoveries = {number: self._id() for number in range(customers)}

    def openings(self) -> list[Post]:
        """Two failures of every customer, told by a reference that nobody knows yet; every fourth comes twice."""
        firsts = [self._failure(number, self._recoveries[number]) for number in range(self._customers)]
        seconds = [self._failure(number, self._id()) for number in range(self._customers)]
        return self._with_twins([post for pair in zip(firsts, seconds, strict=True) for post in pair], every=4)

    def moves(self, known: Mapping[int, str], posts: int) -> list[Post]:
        """What is told of customers whose ids are known by now: commands, CloudEvents, twins, and some refused."""
        return self._with_twins([self._move(known, n) for n in range(posts)], every=10)[:posts]

    def _move(self, known: Mapping[int, str], n: int) -> Post:
        number = self._chance.randrange(self._customers)
        path, topic, body = self._chance.choice(MOVES)
        refused = n % 25 == 24
        data = body | {"recovery_id": self._id() if refused else self._recoveries[number]}
        if n % 6 == 5:
            return replace(self._event(number, topic, data, subject=known[number]), refused=refused)
        return Post(self._id(), number, f"/v1/customers/{known[number]}/{path}", data, refused=refused)

    def _failure(self, number: int, recovery_id: str) -> Post:
        data = {"what": "late", "description": "the parcel did not come", "recovery_id": recovery_id}
        return self._event(
            number, "failure.reported", data | {"customer": {"kind": "crm", "value": f"C-{number}"}}
        )

    def _event(self, number: int, topic: str, data: Mapping[str, Any], **attributes: str) -> Post:
        key = self._id()
        event = {"specversion": "1.0", "id": key, "source": SOURCE, "type": f"amends.{topic}.v1", "data": data}
        return Post(key, number, "/v1/events", event | attributes, is_event=True)

    def _with_twins(self, posts: Iterable[Post], every: int) -> list[Post]:
        # Side by side, so that two clients have them in flight at the same time.
        return [twin for n, post in enumerate(posts) for twin in ([post, post] if n % every == 0 else [post])]

    def _id(self) -> str:
        return str(UUID(int=self._chance.getrandbits(128), version=4))


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

    def start(self, posts: Iterable[Post]) -> None:
        """Lets the clients share these posts among themselves."""
        waiting: queue.SimpleQueue[Post] = queue.SimpleQueue()
        for post in posts:
            waiting.put(post)
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
            one.result(10 * PATIENCE_SECONDS)
        return self._answers

    def _work(self, server: Serving, waiting: "queue.SimpleQueue[Post]") -> None:
        client = _Client(server)
        try:
            while not self._over.is_set():
                try:
                    post = waiting.get_nowait()
                except queue.Empty:
                    return
                self._keep(self._until_answered(client, post))
        finally:
            client.close()

    def _until_answered(self, client: "_Client", post: Post) -> Answer:
        for attempt in range(1, MOST_ATTEMPTS + 1):
            assert client.server.ready.wait(PATIENCE_SECONDS), "the server did not come back"
            response = client.try_once(post)
            if response is not None and response.status_code != 503:
                replayed = response.headers.get("Idempotency-Replayed") == "true"
                return Answer(post, response.status_code, response.json(), replayed, attempt)
            assert not self._over.is_set(), "the others have given up"
        raise AssertionError(f"{post.key} got no answer in {MOST_ATTEMPTS} attempts")

    def _keep(self, answer: Answer) -> None:
        with self._answered:
            self._answers.append(answer)
            self._answered.notify_all()


class _Client:
    """One client with one connection, made anew when the server moved."""

    def __init__(self, server: Serving) -> None:
        self.server = server
        self._url, self._http = server.url, server.http()

    def try_once(self, post: Post) -> httpx2.Response | None:
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
