"""Keys: nobody without one, nobody beyond its scopes, and nobody as a source that is not his."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from api.auth import KeyCheck, default_source, owns
from tests.support.http import EVERYTHING, Service

PUBLIC = {"/healthz", "/readyz", "/metrics", "/v1/schemas", "/v1/schemas/{event_type}"}
UNDESCRIBED = {"/", "/docs", "/openapi.json", "/problems", "/problems/{slug}"}
BEHIND_A_KEY = {"/v1/feed.json", "/v1/events"}
"""Not described, or described under another method, and behind a key."""
CUSTOMER = "0192e4a0-0000-7000-8000-000000000001"


@dataclass(frozen=True)
class Known:
    ledger: str = "main"
    key_id: str = "abc"
    scopes: frozenset[str] = frozenset({"read"})
    sources: tuple[str, ...] = ()


def operations(service: Service) -> list[tuple[str, str, str]]:
    found = []
    for path, methods in service.app.openapi()["paths"].items():
        for method, operation in methods.items():
            scopes = [scope for one in operation.get("security", []) for scope in one["key"]]
            assert bool(scopes) == (path not in PUBLIC), f"{method} {path} declares no scope"
            found += [(method.upper(), path.replace("{customer_id}", CUSTOMER), scope) for scope in scopes]
    return found


def test_every_route_that_is_not_public_wants_a_key_and_its_scope(shared: Service):
    asked = operations(shared)
    assert len(asked) > 50
    for method, path, _ in asked:
        nobody = shared.http.request(method, path, headers={"Authorization": ""})
        assert nobody.status_code == 401, path
        assert nobody.headers["www-authenticate"].startswith("Bearer")
        assert nobody.json()["type"].endswith("/problems/unauthorised")
    for scope in {scope for _, _, scope in asked}:
        others = shared.key(*(one for one in (*EVERYTHING, "import") if one != scope))
        for method, path, wanted in asked:
            if wanted == scope:
                lacking = shared.http.request(method, path, headers=others)
                assert lacking.status_code == 403, path
                assert lacking.json()["type"].endswith("/problems/missing_scope")
                assert lacking.json()["scope"] == scope


def test_no_route_is_served_that_is_neither_described_nor_known_to_be_public(shared: Service):
    described = set(shared.app.openapi()["paths"])
    for route in _served(shared.app.routes):
        if route == "/v1/customers/{customer_id}/{command}":
            continue
        assert route in described | UNDESCRIBED | BEHIND_A_KEY, route


def _served(routes) -> list[str]:
    found = []
    for route in routes:
        inner = getattr(route, "original_router", None)
        found += _served(inner.routes) if inner is not None else [route.path]
    return found


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/feed.json"), ("OPTIONS", "/v1/events")])
def test_routes_that_are_not_described_want_a_key_too(shared: Service, method: str, path: str):
    assert shared.http.request(method, path, headers={"Authorization": ""}).status_code == 401


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer amk_live_nope", "Bearer " + "a" * 10_000, "Bearer \u00e4"],
)
def test_what_is_no_key_is_refused(shared: Service, header: str):
    answer = shared.http.get("/v1/events", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.json()["status"] == 401


def test_a_revoked_key_and_a_key_of_another_ledger_are_unknown(amends: Service):
    elsewhere = amends.key("read", ledger="other")
    assert amends.http.get("/v1/events", headers=elsewhere).status_code == 401
    here = amends.key("read")
    key_id = here["Authorization"].split("_")[2]
    assert amends.container.api_keys.revoke("main", key_id)
    assert amends.http.get("/v1/events", headers=here).status_code == 401


def test_the_scheme_is_bearer_in_any_case(shared: Service):
    bearer = shared.key("read")["Authorization"].removeprefix("Bearer ")
    assert shared.http.get("/v1/events", headers={"Authorization": f"bearer {bearer}"}).status_code == 200


def test_a_key_owns_its_own_source_and_those_given_to_it():
    assert owns(Known(), "urn:amends:key:abc")
    assert not owns(Known(), "urn:shop")
    assert owns(Known(sources=("urn:shop",)), "urn:shop")
    assert not owns(Known(sources=("urn:shop",)), "urn:shop:2")
    assert owns(Known(sources=("*",)), "urn:anything")


def test_without_naming_one_a_key_posts_as_the_first_source_it_owns():
    assert default_source(Known()) == "urn:amends:key:abc"
    assert default_source(Known(sources=("urn:shop", "urn:till"))) == "urn:shop"
    assert default_source(Known(sources=("*",))) == "urn:amends:key:abc"


class Book:
    """Keys that count how often they are looked up."""

    def __init__(self) -> None:
        self.asked = 0

    def check(self, bearer: str) -> Known | None:
        self.asked += 1
        return Known() if bearer == "good" else None


def test_a_good_key_is_remembered_for_a_second_and_a_bad_one_never():
    book, now = Book(), [100.0]
    check = KeyCheck(book, lambda: now[0])

    async def ask(bearer: str, times: int) -> None:
        for _ in range(times):
            await check.check(bearer)

    asyncio.run(ask("good", 3))
    assert book.asked == 1
    now[0] += 1.0
    asyncio.run(ask("good", 1))
    assert book.asked == 2
    asyncio.run(ask("bad", 3))
    assert book.asked == 5


class Held(Book):
    """Keys on a database that answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = threading.Event()
        self.broken = False

    def check(self, bearer: str) -> Known | None:
        found = super().check(bearer)
        assert self.answers.wait(30)
        if self.broken:
            raise ConnectionError
        return found


async def until(question: Callable[[], bool]) -> None:
    """Returns when the answer is yes."""
    async with asyncio.timeout(30):
        while not question():
            await asyncio.sleep(0.001)


def test_all_who_come_with_one_key_at_the_same_time_share_one_look() -> None:
    book = Held()
    check = KeyCheck(book, lambda: 100.0)

    async def thirty() -> list[Any]:
        asking = [asyncio.create_task(check.check("good")) for _ in range(30)]
        await until(lambda: book.asked == 1)
        asking.pop(0).cancel()  # who came first hangs up, and takes the answer from nobody
        book.answers.set()
        return await asyncio.gather(*asking)

    assert asyncio.run(thirty()) == [Known()] * 29
    assert book.asked == 1


def test_nobody_joins_a_look_whose_answer_is_trusted_no_more() -> None:
    book, now = Held(), [100.0]
    check = KeyCheck(book, lambda: now[0])

    async def two() -> None:
        first = asyncio.create_task(check.check("good"))
        await until(lambda: book.asked == 1)
        now[0] += 1.0
        second = asyncio.create_task(check.check("good"))
        await until(lambda: book.asked == 2)
        book.answers.set()
        assert await asyncio.gather(first, second) == [Known()] * 2

    asyncio.run(two())


def test_a_fault_of_the_database_is_told_to_all_who_wait_and_the_next_one_asks_again() -> None:
    book = Held()
    book.broken = True
    check = KeyCheck(book, lambda: 100.0)

    async def some() -> None:
        asking = [asyncio.create_task(check.check("good")) for _ in range(3)]
        await until(lambda: book.asked == 1)
        book.answers.set()
        told = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(one) for one in told] == [ConnectionError] * 3
        book.broken = False
        assert await check.check("good") == Known()

    asyncio.run(some())
    assert book.asked == 2


def test_a_key_in_use_is_asked_about_before_its_time_is_up_and_nobody_waits_for_that() -> None:
    book, now = Held(), [100.0]
    check = KeyCheck(book, lambda: now[0])

    async def use() -> None:
        book.answers.set()
        await check.check("good")
        book.answers.clear()
        now[0] += 0.8
        assert [check.remembered("good") for _ in range(2)] == [Known()] * 2
        await until(lambda: book.asked == 2)
        book.answers.set()
        await until(lambda: not check.looks)
        now[0] += 0.5
        assert check.remembered("good") == Known()  # by the second look: the first is trusted no more

    asyncio.run(use())
    assert book.asked == 2


def test_a_key_revoked_meanwhile_is_forgotten_as_soon_as_that_is_known() -> None:
    class Revoking(Book):
        """Knows the key once."""

        def check(self, bearer: str) -> Known | None:
            return super().check(bearer) if not self.asked else None

    now = [100.0]
    check = KeyCheck(Revoking(), lambda: now[0])

    async def use() -> None:
        assert await check.check("good") == Known()
        now[0] += 0.8
        assert check.remembered("good") == Known()
        await until(lambda: not check.looks)
        assert check.remembered("good") is None

    asyncio.run(use())


def test_the_second_of_trust_begins_before_the_database_is_asked():
    now = [100.0]

    class Slow(Book):
        """Keys on a database that takes longer to answer than an answer is trusted."""

        def check(self, bearer: str) -> Known | None:
            now[0] += 1.5
            return super().check(bearer)

    book = Slow()
    check = KeyCheck(book, lambda: now[0])

    async def twice() -> None:
        for _ in range(2):
            assert await check.check("good")

    asyncio.run(twice())
    assert book.asked == 2


def test_keys_are_checked_before_anything_else_is_looked_at(shared: Service):
    answer = shared.http.post("/v1/events", content=b"{", headers={"Authorization": ""})
    assert answer.status_code == 401
