"""CloudEvents: three modes told apart by the Content-Type alone, and headers decoded once and strictly."""

from uuid import UUID

import pytest

from api.cloudevents import batch, binary, header_value, media_type, mode_of, structured
from api.problems import ProblemError

FOUR = [
    (b"ce-specversion", b"1.0"),
    (b"ce-id", b"a1"),
    (b"ce-source", b"urn:shop"),
    (b"ce-type", b"amends.failure.reported.v1"),
]
SUBJECT = "0192e4a0-0000-7000-8000-000000000001"


def slug(call, *args) -> str:
    with pytest.raises(ProblemError) as caught:
        call(*args)
    return caught.value.slug


@pytest.mark.parametrize(
    ("content_type", "mode"),
    [
        ("application/cloudevents+json", "structured"),
        ("application/cloudevents+json; charset=UTF-8", "structured"),
        ("APPLICATION/CLOUDEVENTS+JSON", "structured"),
        ("application/cloudevents-batch+json", "batch"),
        ("application/json", "binary"),
    ],
)
def test_the_content_type_tells_the_mode_even_where_ce_headers_say_otherwise(content_type, mode):
    assert mode_of(content_type, FOUR) == mode


@pytest.mark.parametrize("content_type", ["application/json", None, "text/plain"])
def test_without_ce_headers_a_plain_body_is_no_event(content_type):
    assert slug(mode_of, content_type, [(b"host", b"x")]) == "media_type_unsupported"


@pytest.mark.parametrize(
    "content_type",
    ["application/cloudevents+avro", "application/cloudevents", "application/cloudevents+json; charset=utf-16"],
)
def test_formats_other_than_json_in_utf_8_are_refused(content_type):
    assert slug(mode_of, content_type, FOUR) == "media_type_unsupported"


def test_a_header_is_unquoted_first_and_percent_decoded_once():
    assert header_value(b"Euro%20%E2%82%AC%20%F0%9F%98%80", "ce-subject") == "Euro € 😀"
    assert header_value(b'"a%20b"', "ce-subject") == "a b"
    assert header_value(b'"say \\"hi\\" \\\\ now"', "ce-subject") == 'say "hi" \\ now'
    assert header_value(b"100%2525", "ce-subject") == "100%25"


@pytest.mark.parametrize("raw", [b"%C0%A0", b"%ED%A0%80", b"%FF", b"100%", b"%zz", "ä".encode(), b"\xe4"])
def test_a_header_that_is_no_utf_8_is_refused(raw):
    assert slug(header_value, raw, "ce-subject") == "header_invalid"


def test_a_binary_event_takes_its_attributes_from_headers_and_its_data_from_the_body():
    headers = [*FOUR, (b"ce-subject", SUBJECT.encode()), (b"ce-time", b"2026-03-02T09:00:00Z"), (b"ce-shop", b"4")]
    found = binary(headers, "application/json", b'{"what": "late"}')
    assert found.event.id == "a1"
    assert found.event.subject == UUID(SUBJECT)
    assert found.event.time is not None
    assert found.event.time.isoformat() == "2026-03-02T09:00:00+00:00"
    assert found.data == {"what": "late"}
    assert found.data_at == ()


def test_a_binary_event_lacking_headers_names_them():
    with pytest.raises(ProblemError) as caught:
        binary(FOUR[:2], "application/json", b"{}")
    assert caught.value.slug == "event_invalid"
    assert caught.value.facts["missing"] == ["ce-source", "ce-type"]


def test_a_header_that_comes_twice_is_refused():
    assert slug(binary, [*FOUR, (b"CE-ID", b"a2")], "application/json", b"{}") == "header_invalid"


def test_attributes_of_a_binary_event_are_named_by_their_header():
    with pytest.raises(ProblemError) as caught:
        binary([*FOUR, (b"ce-subject", b"C-1042")], "application/json", b"{}")
    assert caught.value.facts["errors"][0]["pointer"] == "ce-subject"
    assert caught.value.facts["errors"][0]["in"] == "header"


def test_a_structured_event_may_carry_unknown_extensions():
    found = structured(b'{"specversion":"1.0","id":"1","source":"s","type":"t","shop":"4","data":{"a":1}}')
    assert found.event.type == "t"
    assert found.data == {"a": 1}
    assert found.data_at == ("data",)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"specversion":"0.3","id":"1","source":"s","type":"t"}', "/specversion"),
        (b'{"specversion":"1.0","source":"s","type":"t"}', "/id"),
        (b'{"specversion":"1.0","id":"","source":"s","type":"t"}', "/id"),
        (b'{"specversion":"1.0","id":1,"source":"s","type":"t"}', "/id"),
        (b'{"specversion":"1.0","id":"a\\nb","source":"s","type":"t"}', "/id"),
        (b'{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"C-1042"}', "/subject"),
        (b'{"specversion":"1.0","id":"1","source":"s","type":"t","time":"yesterday"}', "/time"),
        (b'{"specversion":"1.0","id":"1","source":"s","type":"t","time":"2026-03-02T09:00:00"}', "/time"),
        (b'{"specversion":"1.0","id":"1","source":"s","type":"t","time":1772442000}', "/time"),
        (b'{"specversion":"1.0","id":"1","source":"s","type":"t","correlationid":"x"}', "/correlationid"),
        (b'{"specversion":"1.0","id":"1","source":"s","type":"t","data":[1]}', "/data"),
        (b'{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"AA=="}', "/data_base64"),
        (
            b'{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"text/xml","data":{}}',
            "/datacontenttype",
        ),
        (b"[]", ""),
    ],
)
def test_what_is_wrong_with_an_event_is_named_by_its_place(body, place):
    with pytest.raises(ProblemError) as caught:
        structured(body)
    assert caught.value.slug == "validation_failed"
    assert [one["pointer"] for one in caught.value.facts["errors"]] == [place]


def test_a_batch_is_an_array():
    assert batch(b"[1, 2]") == [1, 2]
    assert slug(batch, b"{}") == "validation_failed"


def test_only_utf_8_is_a_character_set():
    assert media_type('Application/JSON ; charset="utf-8"') == "application/json"
    assert slug(media_type, "application/json; charset=latin-1") == "media_type_unsupported"
