"""Atom: the same feed for readers that speak RFC 4287."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

MEDIA_TYPE: Final = "application/atom+xml"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot carry. Source: XML 1.0 section 2.2."""
register_namespace("", _ATOM)


class Entry(NamedTuple):
    """One item of a feed."""

    id: str
    title: str
    text: str
    category: str
    updated: datetime
    published: datetime | None = None


def atom(title: str, address: str, updated: datetime, entries: Iterable[Entry], next_url: str | None) -> bytes:
    """The feed at this address as an Atom document."""
    feed = Element(_named("feed"))
    _add(feed, "id", address)
    _add(feed, "title", title)
    _add(feed, "updated", _moment(updated))
    _add(SubElement(feed, _named("author")), "name", "Amends")
    _add(feed, "generator", "Amends")
    SubElement(feed, _named("link"), rel="self", type=MEDIA_TYPE, href=address)
    if next_url is not None:
        # Source: RFC 5005 section 3, paged feeds.
        SubElement(feed, _named("link"), rel="next", type=MEDIA_TYPE, href=next_url)
    for entry in entries:
        _entry(feed, entry)
    written: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _entry(feed: Element, entry: Entry) -> None:
    made = SubElement(feed, _named("entry"))
    _add(made, "id", entry.id)
    _add(made, "title", entry.title)
    _add(made, "updated", _moment(entry.updated))
    if entry.published is not None:
        _add(made, "published", _moment(entry.published))
    SubElement(made, _named("category"), term=entry.category)
    _add(made, "content", entry.text, type="text")


def _add(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, _named(name), attributes).text = _NO_XML.sub(" ", text)


def _named(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
