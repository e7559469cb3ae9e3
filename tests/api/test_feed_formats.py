"""The feed in the formats of feed readers: it passes their rules, whatever stands in it."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import fromstring

import feedparser
import pytest

from tests.support.feeds import ATOM, atom_faults, json_feed_faults
from tests.support.http import Service, service
from tests.support.telling_lessons import NOTICE, drafted, put_right, told

ODD = {
    "kind": "lesson",
    "title": "Πες «συγγνώμη» & <mean> it 🙂",
    "text": "First.\n\nThen: a < b && c > d ]]>\t{name}",
}


@pytest.fixture(scope="module")
def feed(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that tells a notice, an odd lesson, a story and two gestures."""
    folder: Path = tmp_path_factory.mktemp("feed")
    with service(module_database, folder) as amends:
        told(amends, drafted(amends))
        told(amends, drafted(amends, **ODD))
        customer, _ = put_right(amends)
        for degree in (1, 2):
            amends.post(f"/v1/customers/{customer}/make-gesture", {"kind": "surprise", "degree": degree})
        amends.project()
        yield amends


@pytest.mark.parametrize("query", ["", "?limit=2", "?after=0&limit=2", "?colleague=m-7", "?role_class=back"])
def test_it_is_a_json_feed(feed: Service, query: str):
    answer = feed.http.get(f"/v1/feed{query}", headers={"Accept": "application/feed+json"})
    assert answer.headers["content-type"] == "application/feed+json"
    assert json_feed_faults(answer.json()) == []
    assert answer.json()["items"]


@pytest.mark.parametrize("query", ["", "?limit=2", "?after=0&limit=2", "?colleague=m-7", "?role_class=back"])
def test_it_is_an_atom_feed(feed: Service, query: str):
    answer = feed.http.get(f"/v1/feed.atom{query}")
    assert answer.headers["content-type"] == "application/atom+xml"
    assert atom_faults(answer.content) == []


def test_what_another_reader_is_told_is_another_feed(feed: Service):
    addresses = {feed.get(f"/v1/feed{query}")["feed_url"] for query in ("", "?team=quay", "?role=sales")}
    assert len(addresses) == 3
    atom = feed.http.get("/v1/feed.atom?team=quay").text
    assert atom.count("/v1/feed.atom?team=quay") >= 2


def test_both_tell_the_same(feed: Service):
    items = feed.get("/v1/feed")["items"]
    entries = fromstring(feed.http.get("/v1/feed.atom").content).findall(f"{ATOM}entry")  # noqa: S314 - our own
    shown = [[entry.findtext(f"{ATOM}{name}") for name in ("id", "title", "content")] for entry in entries]
    assert shown == [[one["id"], one["title"], one["content_text"]] for one in items]
    assert len(items) == 5
    assert [one["title"] for one in items if "lesson" in one["tags"]] == [ODD["title"]]


def test_a_feed_reader_finds_in_the_atom_feed_what_the_json_feed_tells(feed: Service):
    """As a reader of many thousand feeds out there takes it, which says by `bozo` that it had to guess."""
    document = feed.http.get("/v1/feed.atom").content
    read = feedparser.parse(document)
    assert (read.version, bool(read.bozo)) == ("atom10", False)
    items = feed.get("/v1/feed")["items"]
    assert [(one.id, one.title, one.content[0].value) for one in read.entries] == [
        (one["id"], one["title"], one["content_text"]) for one in items
    ]
    assert feedparser.parse(document.replace(b"</entry>", b"", 1)).bozo


def test_the_next_page_is_found_by_its_address(feed: Service):
    first = feed.get("/v1/feed?limit=3")
    second = feed.get(first["next_url"])
    assert "next_url" not in second
    assert [one["id"] for one in (*first["items"], *second["items"])] == [
        one["id"] for one in feed.get("/v1/feed")["items"]
    ]
    atom = fromstring(feed.http.get("/v1/feed.atom?limit=3").content)  # noqa: S314 - our own document
    [following] = [one.get("href") for one in atom.findall(f"{ATOM}link") if one.get("rel") == "next"]
    assert atom_faults(feed.http.get(following).content) == []


def test_a_story_has_a_day_and_no_time(feed: Service):
    atom = fromstring(feed.http.get("/v1/feed.atom").content)  # noqa: S314 - our own document
    by_kind = {
        entry.find(f"{ATOM}category").get("term"): entry.findtext(f"{ATOM}updated")
        for entry in atom.findall(f"{ATOM}entry")
    }
    assert by_kind["recovery"] == by_kind["gesture"] == "2026-03-02T00:00:00Z"
    assert by_kind["notice"] == "2026-03-02T12:00:00Z"


def test_a_feed_of_nothing_is_a_feed(feed: Service):
    answer = feed.http.get("/v1/feed.atom?after=999999")
    assert atom_faults(answer.content) == []
    assert json_feed_faults(feed.get("/v1/feed?after=999999")) == []


@pytest.mark.parametrize(
    ("spoilt", "fault"),
    [
        (lambda feed: feed | {"version": "1"}, "version"),
        (lambda feed: feed | {"next_url": feed["feed_url"]}, "next_url must not be feed_url"),
        (lambda feed: feed | {"amends": {}}, "feed: there is no amends"),
        (lambda feed: feed | {"items": [feed["items"][0]] * 2}, f"two items are {'{id}'}"),
        (lambda feed: feed | {"items": [{"id": "1", "content_text": ""}]}, "1: no content"),
        (lambda feed: feed | {"items": [{"id": "1", "content_text": "x", "date_published": "today"}]}, None),
    ],
)
def test_the_rules_of_json_feed_are_looked_at(feed: Service, spoilt: object, fault: str | None):
    whole = feed.get("/v1/feed")
    found = json_feed_faults(spoilt(whole))  # type: ignore[operator]
    expected = "date_published is not in RFC 3339" if fault is None else fault
    assert expected.replace("{id}", whole["items"][0]["id"]) in found


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("updated>", "changed>", "feed: how many updated"),
        ("<id>urn:uuid:", "<id>", "an id is an absolute IRI (4.2.6)"),
        ('rel="self"', 'rel="other"', "it does not say where it is (4.1.1)"),
        ("<name>Amends</name>", "", "an author has a name (3.2.1)"),
        ("T00:00:00Z", "", "updated is not in RFC 3339 (3.3)"),
        ('type="text"', 'type="html"', "text content holds text (4.1.3.3)"),
    ],
)
def test_the_rules_of_atom_are_looked_at(feed: Service, right: str, wrong: str, fault: str):
    whole = feed.http.get("/v1/feed.atom").text
    assert right in whole
    assert fault in atom_faults(whole.replace(right, wrong).encode())


def test_a_notice_keeps_its_words_and_says_when_in_utc(feed: Service):
    [notice] = [one for one in feed.get("/v1/feed")["items"] if "notice" in one["tags"]]
    assert (notice["content_text"], notice["date_published"]) == (NOTICE["text"], "2026-03-02T12:00:00Z")


@pytest.mark.parametrize("path", ["/v1/feed", "/v1/feed.atom"])
@pytest.mark.parametrize("query", ["", "?limit=2", "?colleague=m-7", "?team=nobody-there&after=100000"])
def test_who_has_it_all_is_not_sent_it_again(feed: Service, path: str, query: str):
    first = feed.http.get(f"{path}{query}")
    feed.clock.forward(minutes=1)
    again = feed.http.get(f"{path}{query}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("path", ["/v1/feed", "/v1/feed.atom"])
def test_who_has_another_page_or_form_is_sent_this_one(feed: Service, path: str):
    tags = [feed.http.get(f"{path}{query}").headers["etag"] for query in ("", "?limit=1", "?team=quay")]
    if path == "/v1/feed":
        tags.append(feed.http.get(path, headers={"Accept": "application/feed+json"}).headers["etag"])
    assert len(set(tags)) == len(tags)
    assert feed.http.get(path, headers={"If-None-Match": tags[1]}).status_code == 200


def test_what_is_new_is_sent_to_who_had_it_all(amends: Service):
    told(amends, drafted(amends))
    amends.project()
    held = amends.http.get("/v1/feed").headers["etag"]
    told(amends, drafted(amends, **NOTICE | {"title": "Another"}))
    amends.project()
    answer = amends.http.get("/v1/feed", headers={"If-None-Match": held})
    assert (answer.status_code, len(answer.json()["items"])) == (200, 2)
