"""Strict JSON: what every reader reads the same way is taken, everything else is a problem and never a fault."""

import json
import time
import tracemalloc
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.problems import PROBLEMS, ProblemError
from api.strict_json import decode, decode_object
from tests.support.shared import vectors

STRICTER = {
    "y_object_duplicated_key.json": "json_invalid",
    "y_object_duplicated_key_and_value.json": "json_invalid",
    "y_object_escaped_null_in_key.json": "validation_failed",
    "y_string_null_escape.json": "validation_failed",
}
"""What the suite accepts and we refuse: repeated keys, and U+0000, which databases cannot keep."""


def refusal(body: bytes) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        decode(body)
    assert 400 <= PROBLEMS[caught.value.slug].status < 500
    return caught.value


def test_every_file_of_the_json_test_suite_is_accepted_or_refused_as_it_must_be():
    files = sorted((vectors("jsontestsuite") / "test_parsing").iterdir())
    assert len(files) == 318
    for file in files:
        body = file.read_bytes()
        if file.name.startswith("n_"):
            refusal(body)
        elif file.name in STRICTER:
            assert refusal(body).slug == STRICTER[file.name]
        elif file.name.startswith("y_"):
            decode(body)
        else:
            # Either way, but never any other exception.
            with suppress(ProblemError):
                decode(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"x": NaN}',
        b'{"x": Infinity}',
        b'{"x": -Infinity}',
        b'{"x": 1e400}',
        b'{"x": -1e400}',
        b'{"x": 1e-400}',
        b'{"x": 1e1000000}',
        b'{"x": "\\ud800"}',
        b'{"x": "\\udc00\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"x": 1, "x": 1}',
        b'{"x": {"y": 1, "\\u0079": 2}}',
        b'\xef\xbb\xbf{"x": 1}',
        '{"x": 1}'.encode("utf-16"),
        '{"x": 1}'.encode("utf-16-le"),
        '{"x": "καλημέρα"}'.encode("iso-8859-7"),
        b'{"x": "\xc0\xaf"}',
        b'{"x": "\xed\xa0\x80"}',
        b'{"x": "a\x00b"}',
        b"",
        b" ",
        b'{"x": 1} {"y": 2}',
        b'{"x": 01}',
    ],
)
def test_what_readers_disagree_about_is_refused(body: bytes):
    assert refusal(body).slug == "json_invalid"


def test_levels_up_to_thirty_two_are_taken_and_one_more_is_refused():
    assert decode(b"[" * 32 + b"]" * 32)
    assert refusal(b"[" * 33 + b"]" * 33).slug == "json_invalid"
    assert refusal(b'{"a":' * 33 + b"1" + b"}" * 33).slug == "json_invalid"
    assert refusal(b"[" * 100_000).slug == "json_invalid"
    assert refusal(b"[" * 100_000 + b"]" * 100_000).slug == "json_invalid"


def test_many_brackets_side_by_side_are_not_deep():
    assert len(decode(b"[" + b",".join([b"[{}]"] * 1000) + b"]")) == 1000


def test_the_largest_whole_number_is_two_to_the_fifty_third_minus_one():
    assert decode(b'{"x": 9007199254740991}') == {"x": 9007199254740991}
    assert decode(b'{"x": -9007199254740991}') == {"x": -9007199254740991}
    found = refusal(b'{"a": 1, "order": [{"minutes": 9007199254740992}]}')
    assert found.slug == "validation_failed"
    assert found.facts["errors"][0]["pointer"] == "/order/0/minutes"
    assert found.facts["errors"][0]["code"] == "number_too_large"


@pytest.mark.parametrize("number", [b"9" * 5000, b"-" + b"9" * 5000, b"1" + b"0" * 900_000])
def test_thousands_of_digits_cost_no_time(number: bytes):
    started = time.thread_time()  # whatever other threads of ours are at
    assert refusal(b'{"x": ' + number + b"}").slug == "validation_failed"
    assert time.thread_time() - started < 0.5


def test_a_long_fraction_costs_no_time():
    started = time.thread_time()
    assert refusal(b'{"x": 0.' + b"1" * 900_000 + b"}").slug == "json_invalid"
    assert time.thread_time() - started < 0.5


def test_a_nul_character_is_refused_naming_the_field():
    found = refusal(b'{"customer_words": ["fine", "a\\u0000b"]}')
    assert found.slug == "validation_failed"
    assert found.facts["errors"] == [
        {
            "pointer": "/customer_words/1",
            "in": "body",
            "detail": "a text must not contain U+0000",
            "code": "nul_character",
        }
    ]


def test_a_pair_of_surrogates_is_one_character():
    assert decode(b'"\\ud83c\\udf51"') == "🍑"


def test_nothing_of_the_body_stands_in_the_refusal():
    found = refusal(b'{"description": "Maria Papadopoulou" "phone": 1}')
    assert "Maria" not in found.detail
    assert "Maria" not in str(found.facts)


def test_a_body_must_be_an_object_and_may_be_empty_only_where_that_is_said():
    assert decode_object(b"", may_be_empty=True) == {}
    assert decode_object(b"{}") == {}
    for body in (b"[]", b"1", b"null", b'"x"'):
        with pytest.raises(ProblemError) as caught:
            decode_object(body)
        assert caught.value.slug == "validation_failed"
    with pytest.raises(ProblemError):
        decode_object(b"")


def test_a_long_name_around_many_values_costs_no_memory():
    body = b'{"' + b"k" * 500_000 + b'":[' + b"1," * 249_999 + b'1],"x":"\\u0041"}'
    tracemalloc.start()
    try:
        assert decode(body)["x"] == "A"
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_long_name_is_cut_in_the_pointer_to_what_is_refused():
    found = refusal(b'{"a": [1, {"' + b"~" * 500 + b'": "x\\u0000"}]}')
    assert found.facts["errors"][0]["pointer"] == "/a/1/" + "~0" * 200


def test_the_place_is_told_after_whatever_stood_before_it():
    found = refusal(b'{"a": [[], {"b": {}}, 1], "c": {"d": [0, "x\\u0000"]}}')
    assert found.facts["errors"][0]["pointer"] == "/c/d/1"


_TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=40)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)  # there are no others in JSON
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(_VALUES)
def test_a_value_is_the_same_however_it_was_written(value: Any):
    ways = (orjson.dumps(value), json.dumps(value, ensure_ascii=False, indent=1).encode())
    for told in (decode(body) for body in ways):
        assert repr(told) == repr(json.loads(ways[1]))


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        (b'{"a":1,"a":1}', "json_invalid"),
        (b'{"a":[{"b":1,"c":2,"b":1}]}', "json_invalid"),
        (b"[1e400]", "json_invalid"),
        (b"[9007199254740992]", "validation_failed"),
        (b'{"a":-9007199254740993}', "validation_failed"),
        (b'["\\u0000"]', "validation_failed"),
        (b'["\\ud800"]', "json_invalid"),
        (b'["\xed\xa0\x80"]', "json_invalid"),
        (b"[" * 33 + b"]" * 33, "json_invalid"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "json_invalid"),
    ],
)
def test_what_is_refused_is_refused_without_a_blank_in_it_too(body: bytes, slug: str):
    assert refusal(body).slug == slug


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"severity": 1, "severity": 2}', '"severity"'),
        (b'{"a": {"b\\ud800\\u0000": 1, "b\\ud800\\u0000": 2}}', '"b\\ud800\\u0000"'),
        (b'{"' + b"x" * 5000 + b'": 1, "' + b"x" * 5000 + b'": 1}', '"' + "x" * 60 + '"'),
    ],
)
def test_a_key_that_comes_twice_is_named(body: bytes, named: str):
    assert refusal(body).detail == f"an object names the key {named} twice"
