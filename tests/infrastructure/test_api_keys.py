"""API keys: shown once, checked in constant time, ended within seconds."""

import ast
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter_ns

import pytest
from sqlalchemy import Engine, select

from domain.errors import InvalidValue
from infrastructure.api_keys import SCOPES, ApiKeys
from infrastructure.tables import api_keys

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


class Time:
    """A wall clock and a stopwatch that move together when told."""

    seconds = 0.0

    def wall(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def stopwatch(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def keys(engine: Engine, time: Time) -> ApiKeys:
    return ApiKeys(engine, now=time.wall, clock=time.stopwatch)


@pytest.fixture
def elsewhere(engine: Engine, time: Time) -> ApiKeys:
    """The same keys, as another process sees them."""
    return ApiKeys(engine, now=time.wall, clock=time.stopwatch)


def till(keys: ApiKeys, **changes: object) -> str:
    return keys.create(
        **{"ledger": "main", "name": "till", "scopes": ["append"], "sources": ["urn:till"]} | changes
    )


def key_id(bearer: str) -> str:
    return bearer.split("_")[2]


def test_a_key_opens_its_own_ledger_with_its_scopes_and_sources(keys: ApiKeys):
    bearer = till(keys, scopes=["read", "append"], sources=["urn:till", "urn:shop"])
    credential = keys.check(bearer)
    assert credential is not None
    assert (credential.ledger, credential.name) == ("main", "till")
    assert credential.scopes == frozenset({"append", "read"})
    assert credential.sources == ("urn:till", "urn:shop")
    assert credential.actor_ref == f"k:{key_id(bearer)}"


def test_a_key_has_the_form_that_secret_scanners_know(keys: ApiKeys):
    bearer = till(keys)
    assert re.fullmatch(r"amk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", bearer)


def test_the_last_six_letters_are_the_checksum_in_base_62(keys: ApiKeys):
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    bearer = till(keys)
    number = 0
    for letter in bearer[-6:]:
        number = number * 62 + digits.index(letter)
    assert number == zlib.crc32(bearer[:-6].encode())


def test_the_environment_stands_in_the_key(engine: Engine):
    assert till(ApiKeys(engine, "demo")).startswith("amk_demo_")
    with pytest.raises(InvalidValue):
        ApiKeys(engine, "Live_1")


def test_no_two_keys_are_alike(keys: ApiKeys):
    bearers = [till(keys) for _ in range(20)]
    assert len({key_id(bearer) for bearer in bearers}) == 20
    assert all(keys.check(bearer) for bearer in bearers)


def test_the_database_does_not_hold_the_key(keys: ApiKeys, engine: Engine):
    bearer = till(keys)
    with engine.begin() as conn:
        row = conn.execute(select(api_keys)).one()
    secret = bearer.split("_")[3]
    assert secret[:43] not in repr(tuple(row))
    assert secret[:43].encode() not in row.hash
    assert secret[:43] not in repr(keys.list("main"))


def checked(body: str) -> str:
    """A key with its checksum behind it."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    number, letters = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, last = divmod(number, 62)
        letters = digits[last] + letters
    return body + letters


def with_secret(bearer: str, place: int) -> str:
    """The same key with one letter of its secret changed and a right checksum."""
    body = bearer[:-6]
    at = len(body) - 43 + place
    return checked(body[:at] + ("A" if body[at] != "A" else "B") + body[at + 1 :])


def with_id(bearer: str, other: str) -> str:
    """The key under another id, with a right checksum."""
    env, _, secret = bearer[4:].split("_")
    return checked(f"amk_{env}_{other}_{secret[:-6]}")


@pytest.mark.parametrize("place", [0, 21, 42])
def test_a_wrong_secret_is_refused(keys: ApiKeys, place: int):
    assert keys.check(with_secret(till(keys), place)) is None


def test_the_secret_of_one_key_does_not_open_another(keys: ApiKeys):
    one, two = till(keys), till(keys)
    assert keys.check(with_id(one, key_id(one))) is not None  # nothing else about such a key is wrong
    assert keys.check(with_id(one, key_id(two))) is None


@pytest.mark.parametrize("spoil", [lambda key: key[:-1], lambda key: key + "0", str.upper, lambda key: " " + key])
def test_a_mistyped_key_is_refused(keys: ApiKeys, spoil: object):
    assert keys.check(spoil(till(keys))) is None


@pytest.mark.parametrize(
    "bearer", ["", "amk_", "amk_live_a_b", "ключ", "\x00", "amk_live_" + "٣" * 12 + "_x", "a" * 10**6]
)
def test_what_is_no_key_is_refused(keys: ApiKeys, bearer: str):
    assert keys.check(bearer) is None


def test_a_key_expires_to_the_second(keys: ApiKeys, time: Time):
    bearer = till(keys, expires_at=NOON + timedelta(seconds=60))
    time.seconds = 59.9
    assert keys.check(bearer)
    time.seconds = 60
    assert keys.check(bearer) is None


def test_a_revoked_key_ends_here_at_once_and_elsewhere_within_five_seconds(
    keys: ApiKeys, elsewhere: ApiKeys, time: Time
):
    bearer = till(keys)
    assert elsewhere.check(bearer)
    assert keys.revoke("main", key_id(bearer))
    assert keys.check(bearer) is None
    time.seconds = 3.9
    assert elsewhere.check(bearer)
    time.seconds = 4
    assert elsewhere.check(bearer) is None


def test_a_key_made_elsewhere_a_moment_ago_is_known(keys: ApiKeys, elsewhere: ApiKeys, time: Time):
    assert elsewhere.check(till(keys))
    second = till(keys)
    time.seconds = 0.1
    assert elsewhere.check(second)


def test_only_a_living_key_of_the_ledger_can_be_revoked(keys: ApiKeys):
    bearer = till(keys)
    assert not keys.revoke("other", key_id(bearer))
    assert keys.check(bearer)
    assert keys.revoke("main", key_id(bearer))
    assert not keys.revoke("main", key_id(bearer))


def test_keys_are_listed_with_all_but_their_secret(keys: ApiKeys, time: Time):
    first = till(keys, expires_at=NOON + timedelta(days=1))
    time.seconds = 10
    second = till(keys, name="shop")
    till(keys, ledger="other")
    keys.revoke("main", key_id(second))
    one, two = keys.list("main")
    assert (one.credential.key_id, one.credential.name) == (key_id(first), "till")
    assert (one.created_at, one.expires_at, one.revoked_at) == (NOON, NOON + timedelta(days=1), None)
    assert (two.credential.name, two.revoked_at) == ("shop", NOON + timedelta(seconds=10))


def test_a_key_can_be_made_in_the_callers_transaction(keys: ApiKeys, engine: Engine):
    with engine.connect() as conn, conn.begin() as transaction:
        lost = till(keys, conn=conn)
        transaction.rollback()
    assert keys.check(lost) is None
    with engine.begin() as conn:
        kept = till(keys, conn=conn)
    assert keys.check(kept)


@pytest.mark.parametrize(
    "changes",
    [
        {"scopes": []},
        {"scopes": ["append", "root"]},
        {"sources": ["x" * 201]},
        {"sources": [""]},
        {"sources": ["a\x00"]},
    ],
    ids=str,
)
def test_a_key_with_unknown_scopes_or_unusable_sources_is_not_made(keys: ApiKeys, changes: dict[str, object]):
    with pytest.raises(InvalidValue):
        till(keys, **changes)
    assert keys.list("main") == ()


def test_a_key_may_own_no_source(keys: ApiKeys):
    credential = keys.check(till(keys, sources=[]))
    assert credential is not None
    assert credential.sources == ()


def test_the_scopes_are_the_documented_ones():
    assert sorted(SCOPES) == [
        "act_for", "admin", "append", "audit", "import", "personal", "personnel", "read",
    ]  # fmt: skip


# T-11: constant time by construction. Nobody compares secrets with ==, which stops at the first difference.

SECRET = re.compile(r"secret|bearer|hash|digest|token|password|dek|kek", re.IGNORECASE)
WATCHED = ["infrastructure/api_keys.py", "infrastructure/keys.py", "api/auth.py"]


def names(node: ast.AST) -> Iterator[str]:
    """Every name in an operand; an id is no secret, and neither is a length."""
    if isinstance(node, ast.Attribute) and node.attr.endswith("_id"):
        return
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
        return
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    for inner in ast.iter_child_nodes(node):
        yield from names(inner)


def short_cuts(source: str) -> list[str]:
    """Comparisons of secrets that stop at the first difference."""
    quick = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare) and any(isinstance(op, quick) for op in node.ops)
        if any(SECRET.search(name) for name in names(node))
    ]


@pytest.mark.parametrize("path", WATCHED)
def test_no_secret_is_compared_in_a_way_that_tells_time(path: str):
    if not (ROOT / path).exists():
        pytest.skip(f"{path} is not built yet")
    assert short_cuts((ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    "code", ["a.hash == b", "secret != x", "bearer in known", "digest(x) == y", "k.dek.hex() == a"]
)
def test_the_search_for_short_cuts_finds_them(code: str):
    assert short_cuts(code)


def test_a_check_takes_as_long_for_an_unknown_id_as_for_a_wrong_secret(keys: ApiKeys):
    """A coarse check of the medians; the construction above is what holds."""
    good = till(keys)
    wrong = [with_secret(good, 0), with_secret(good, 42), with_id(good, "A" * 12)]
    times: list[list[int]] = [[], [], []]
    for _ in range(500):
        for bearer, taken in zip(wrong, times, strict=True):
            begun = perf_counter_ns()
            keys.check(bearer)
            taken.append(perf_counter_ns() - begun)
    medians = [sorted(taken)[250] for taken in times]
    assert max(medians) < 2 * min(medians)
