"""Canonical JSON: the bytes of RFC 8785 inside the subset, a refusal outside it."""

import enum
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import hypothesis
import pytest
import rfc8785
from hypothesis import strategies as st

from infrastructure.canonical import NotCanonical, dumps, loads
from tests.support.shared import vectors

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
keys = st.text(st.characters(min_codepoint=1, max_codepoint=127))
integers = st.integers(-(2**53) + 1, 2**53 - 1)
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=25,
)


@hypothesis.given(values)
def test_inside_the_subset_the_bytes_are_those_of_rfc_8785(value: Any):
    assert dumps(value) == rfc8785.dumps(value)


@hypothesis.given(values)
def test_what_was_written_reads_back_as_it_was(value: Any):
    assert loads(dumps(value)) == value


@hypothesis.given(st.one_of(values, st.floats(), st.text(), st.integers(), st.dictionaries(st.text(), values)))
def test_a_value_is_written_as_the_rfc_does_or_refused(value: Any):
    try:
        written = dumps(value)
    except NotCanonical:
        return
    assert written == rfc8785.dumps(value)


@pytest.mark.parametrize("name", ["arrays", "unicode"])
def test_the_vectors_inside_the_subset_come_out_byte_for_byte(name: str):
    folder = vectors("jcs") / "testdata"
    value = json.loads((folder / "input" / f"{name}.json").read_bytes())
    assert dumps(value) == (folder / "output" / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", ["french", "weird", "structures", "values"])
def test_the_vectors_with_floats_or_other_keys_are_refused(name: str):
    value = json.loads((vectors("jcs") / "testdata" / "input" / f"{name}.json").read_bytes())
    with pytest.raises(NotCanonical):
        dumps(value)


class Colour(enum.StrEnum):
    RED = "red"


class Loud(str):
    __slots__ = ()


class Number(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        10**30,
        "a\x00b",
        {"a\x00b": 1},
        "\ud800",
        {"é": 1},
        {1: 2},
        {None: 2},
        ("a", "tuple"),
        b"bytes",
        {"a": [{"b": 0.5}]},
        datetime(2026, 1, 1, tzinfo=UTC),
        UUID(int=1),
        Colour.RED,
        Number.ONE,
        Loud("subclass"),
        {Loud("subclass"): 1},
        {1, 2},
    ],
    ids=repr,
)
def test_everything_else_is_refused(value: Any):
    with pytest.raises(NotCanonical):
        dumps(value)


def test_a_list_within_itself_is_refused():
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(NotCanonical):
        dumps(endless)


def test_the_text_that_looks_like_an_escaped_nul_is_taken():
    assert dumps({"a": "\\u0000"}) == rb'{"a":"\\u0000"}'


def test_members_stand_in_the_order_of_their_names():
    assert dumps({"b": 1, "a": [True, None], "B": "Ώρα"}) == '{"B":"Ώρα","a":[true,null],"b":1}'.encode()


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,"a":1}',
        b'{"a":1}\n',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":-0}',
        b'"\\u00e9"',
        b'"\\/"',
        b'"\\u0000"',
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b"NaN",
        b"9007199254740992",
        b"",
        b"{",
        b"[" * 2000 + b"]" * 2000,
    ],
    ids=lambda data: repr(data[:30]),
)
def test_the_same_value_in_another_form_is_refused(data: bytes):
    with pytest.raises(NotCanonical):
        loads(data)
