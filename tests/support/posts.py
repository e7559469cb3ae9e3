"""Posts: what clients send, decided beforehand, and what they are told."""

import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Final
from uuid import UUID

import httpx2

from tests.support.checker import Acknowledged, Entry

A_BATCH: Final = 500
BATCH: Final = "application/cloudevents-batch+json"
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

    def answers(self, response: httpx2.Response, trying: "Trying") -> "list[Answer] | None":
        """What it was told; None when it must ask again."""
        if response.status_code == 503:
            return None
        replayed = response.headers.get("Idempotency-Replayed") == "true"
        return [trying.told(self, response.status_code, response.json(), replayed)]


@dataclass(frozen=True, slots=True)
class Batch:
    """CloudEvents sent together, each of which gets an answer of its own."""

    posts: tuple[Post, ...]

    @property
    def key(self) -> str:
        """The first one's key stands for all."""
        return self.posts[0].key

    def send(self, http: httpx2.Client) -> httpx2.Response:
        """The answer of the server behind this client."""
        events = [dict(post.body) for post in self.posts]
        return http.post("/v1/events", json=events, headers={"Content-Type": BATCH})

    def answers(self, response: httpx2.Response, trying: "Trying") -> "list[Answer] | None":
        """What each was told; None when all must ask again."""
        if response.status_code == 503:
            return None
        assert response.status_code == 200, response.text
        results = response.json()["results"]
        if any(one["status"] == 503 for one in results):
            return None
        return [
            trying.told(post, one["status"], one, one.get("replayed", False))
            for post, one in zip(self.posts, results, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a post in the end."""

    post: Post
    status: int
    document: Mapping[str, Any]
    replayed: bool
    attempts: int
    began: float = -inf
    ended: float = inf

    @property
    def acknowledged(self) -> Acknowledged:
        """The receipts, under the key they were given for."""
        receipts = tuple(Entry(**one) for one in self.document.get("receipts", ()))
        return Acknowledged(self.post.key, receipts, self.began, self.ended)


@dataclass
class Trying:
    """One client's attempts to get an answer."""

    began: float = field(default_factory=time.monotonic)
    attempts: int = 0

    def told(self, post: Post, status: int, document: Mapping[str, Any], replayed: bool) -> Answer:
        """The answer, which came now."""
        return Answer(post, status, document, replayed, self.attempts, self.began, time.monotonic())


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
        number, path, topic, body = self._chosen()
        refused = n % 25 == 24
        if n % 6 == 5:
            return self._told(known, number, path, topic, body, refused=refused)
        data = self._about(number, body, refused)
        return Post(self._id(), number, f"/v1/customers/{known[number]}/{path}", data, refused=refused)

    def _chosen(self) -> tuple[int, str, str, dict[str, Any]]:
        return (self._chance.randrange(self._customers), *self._chance.choice(MOVES))

    def _about(self, number: int, body: Mapping[str, Any], refused: bool) -> Mapping[str, Any]:
        return {**body, "recovery_id": self._id() if refused else self._recoveries[number]}

    def _told(
        self, known: Mapping[int, str], number: int, _: str, topic: str, body: Mapping[str, Any], *, refused: bool
    ) -> Post:
        data = self._about(number, body, refused)
        return replace(self._event(number, topic, data, subject=known[number]), refused=refused)

    def mixed(self, known: Mapping[int, str], singles: int, batches: int) -> list[Post | Batch]:
        """Moves alone, every fifth a composition of several, and between them batches of 500."""
        moves = [self._composition(known) if n % 5 == 0 else self._move(known, n) for n in range(singles)]
        posts: list[Post | Batch] = [*self._with_twins(moves, every=10)]
        for n in range(batches):
            posts.insert((2 * n + 1) * len(posts) // (2 * batches), self._batch(known))
        return posts

    def _batch(self, known: Mapping[int, str]) -> Batch:
        return Batch(tuple(self._told(known, *self._chosen(), refused=n % 100 == 99) for n in range(A_BATCH)))

    def _composition(self, known: Mapping[int, str]) -> Post:
        number = self._chance.randrange(self._customers)
        body = {
            "failure": {"what": "late", "description": "the parcel did not come"},
            "apology": {"said": "regret"},
            "remedy": {"remedy_kind": "exchange"},
        }
        return Post(self._id(), number, f"/v1/customers/{known[number]}/instant-remedy", body)

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
