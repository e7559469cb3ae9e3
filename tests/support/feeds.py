"""What is wrong with a feed by the rules of its format: nothing, one hopes."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, fromstring

_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_TEXTS: Final = (
    "title",
    "home_page_url",
    "feed_url",
    "description",
    "user_comment",
    "next_url",
    "icon",
    "favicon",
)
_OF_A_FEED: Final = {"version", "items", "authors", "language", "expired", "hubs", *_TEXTS}
_ITEM_TEXTS: Final = ("id", "url", "external_url", "title", "content_html", "content_text", "summary", "image")
_OF_AN_ITEM: Final = {
    *_ITEM_TEXTS,
    *("banner_image", "date_published", "date_modified", "authors", "tags", "language", "attachments"),
}
ATOM: Final = "{http://www.w3.org/2005/Atom}"


def json_feed_faults(feed: Any) -> list[str]:
    """What JSON Feed 1.1 forbids in it. Source: jsonfeed.org/version/1.1."""
    return list(_json_feed(feed))


def _json_feed(feed: Any) -> Iterator[str]:
    if feed.get("version") != "https://jsonfeed.org/version/1.1":
        yield "version"
    if not isinstance(feed.get("title"), str) or not isinstance(feed.get("items"), list):
        yield "title and items are required"
    yield from _members(feed, _OF_A_FEED, _TEXTS, "feed")
    for name in ("home_page_url", "feed_url", "next_url"):
        if name in feed and not urlsplit(feed[name]).netloc:
            yield f"{name} is no URL"
    if feed.get("next_url") == feed.get("feed_url"):
        yield "next_url must not be feed_url"
    for item in feed.get("items", []):
        yield from _json_item(item)
    yield from (
        f"two items are {one}" for one, n in Counter(item["id"] for item in feed["items"]).items() if n > 1
    )


def _json_item(item: Any) -> Iterator[str]:
    if not isinstance(item.get("id"), str) or not item["id"]:
        yield "an item without an id"
    if not item.get("content_text") and not item.get("content_html"):
        yield f"{item.get('id')}: no content"
    yield from _members(item, _OF_AN_ITEM, _ITEM_TEXTS, "item")
    for name in ("date_published", "date_modified"):
        if name in item and not _is_moment(item[name]):
            yield f"{name} is not in RFC 3339"
    if not all(isinstance(tag, str) for tag in item.get("tags", [])):
        yield "tags are strings"


def _members(told: Any, known: set[str], texts: tuple[str, ...], what: str) -> Iterator[str]:
    for name, value in told.items():
        if name.startswith("_"):
            if not re.match("_[a-zA-Z]", name) or "." in name or not isinstance(value, dict):
                yield f"{what}: {name} is no extension"
        elif name not in known:
            yield f"{what}: there is no {name}"
        if name in texts and not isinstance(value, str):
            yield f"{what}: {name} is a string"


def atom_faults(document: bytes) -> list[str]:
    """What RFC 4287 forbids in it."""
    return list(_atom(fromstring(document)))  # noqa: S314 - our own document


def _atom(feed: Element) -> Iterator[str]:
    if feed.tag != f"{ATOM}feed":
        yield "it is no feed"
    yield from _count(feed, {"id": (1, 1), "title": (1, 1), "updated": (1, 1), "generator": (0, 1)}, "feed")
    entries = feed.findall(f"{ATOM}entry")
    if not feed.findall(f"{ATOM}author") and not all(one.find(f"{ATOM}author") is not None for one in entries):
        yield "nobody is its author (4.1.1)"
    if not any(one.get("rel") == "self" for one in feed.findall(f"{ATOM}link")):
        yield "it does not say where it is (4.1.1)"
    known = {"author", "category", "contributor", "entry", "generator", "icon", "id", "link", "logo", "rights"}
    yield from _shape(feed, known | {"subtitle", "title", "updated"})
    for entry in entries:
        yield from _atom_entry(entry)
    same = Counter((one.findtext(f"{ATOM}id"), one.findtext(f"{ATOM}updated")) for one in entries)
    yield from (f"two entries are {one} (4.1.1)" for one, n in same.items() if n > 1)


def _atom_entry(entry: Element) -> Iterator[str]:
    counted = {"id": (1, 1), "title": (1, 1), "updated": (1, 1), "published": (0, 1), "content": (0, 1)}
    yield from _count(entry, counted, "entry")
    known = {"author", "category", "content", "contributor", "id", "link", "published", "rights", "source"}
    yield from _shape(entry, known | {"summary", "title", "updated"})
    content = entry.find(f"{ATOM}content")
    if content is None and not any(
        one.get("rel", "alternate") == "alternate" for one in entry.iter(f"{ATOM}link")
    ):
        yield "an entry has content or an alternate link (4.1.2)"
    if content is not None and (content.get("type", "text") != "text" or len(content)):
        yield "text content holds text (4.1.3.3)"


def _count(of: Element, counted: dict[str, tuple[int, int]], what: str) -> Iterator[str]:
    for name, (fewest, most) in counted.items():
        if not fewest <= len(of.findall(f"{ATOM}{name}")) <= most:
            yield f"{what}: how many {name}"


def _shape(of: Element, known: set[str]) -> Iterator[str]:
    for child in of:
        name = child.tag.removeprefix(ATOM)
        if name not in known:
            yield f"there is no {name}"
        if name == "id" and not urlsplit(child.text or "").scheme:
            yield "an id is an absolute IRI (4.2.6)"
        if name in ("updated", "published") and not _is_moment(child.text or ""):
            yield f"{name} is not in RFC 3339 (3.3)"
        if name == "link" and not child.get("href"):
            yield "a link leads somewhere (4.2.7.1)"
        if name == "category" and not child.get("term"):
            yield "a category has a term (4.2.2.1)"
        if name == "author" and not child.findtext(f"{ATOM}name"):
            yield "an author has a name (3.2.1)"


def _is_moment(text: Any) -> bool:
    if not isinstance(text, str) or _RFC_3339.fullmatch(text) is None:
        return False
    return datetime.fromisoformat(text) is not None
