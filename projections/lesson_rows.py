"""Lessons as they are kept: how far each has come, in which words, and who read and acknowledged which version.

The words are the house's own, so they may stand in rows; names stand in none.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Integer, Text, Uuid

from domain.kinds import Fact
from projections.base import Codes, Instant, Key, Projection, Row, position_column, projection_table

lessons = projection_table(
    "lessons",
    Column("drafted", BigInteger, nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("topic", Text),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("approved", Integer, nullable=False),
    Column("published", Integer, nullable=False),
    Column("told", BigInteger),
    Column("told_title", Text),
    Column("told_text", Text),
    Column("published_at", Instant),
    Column("expires_at", Instant),
    Column("must_ack", Boolean, nullable=False),
    Column("audience", Codes, nullable=False),
    Column("only_for", Uuid),
    Column("recognises", Uuid),
    Column("customer_id", Uuid),
    Column("recovery_id", Uuid),
    Column("retired", Boolean, nullable=False),
)
"""One row per lesson: the newest wording, and the published one, which the feed tells since position `told`.

Of a customer who was lost the feed does not tell: then there is no such position.
"""

lesson_receipts = projection_table(
    "lesson_receipts",
    position_column(),
    Column("lesson_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("acknowledged", Boolean, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per receipt of a colleague, whose stream it stands in. To acknowledge is to have read."""

naming_consents = projection_table(
    "naming_consents",
    position_column(),
    Column("given", Boolean, nullable=False),
)
"""One row per colleague who ever said whether he may be named: his last word, and where it stands."""

_LESSON: Final[Key] = ("lessons",)


class Lessons(Projection):
    """How far each lesson has come."""

    name = "lessons"
    version = 1
    tables = (lessons,)
    loaded = (lessons,)

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """The lesson as this fact leaves it."""
        change = _CHANGES.get(fact.event.TOPIC)
        if change is None:
            return {}
        before = rows.get(_LESSON)
        if before is None:
            return {_LESSON: _drafted(fact.event, fact)} if fact.event.TOPIC == "lesson.drafted" else {}
        return {_LESSON: {**before, **change(before, fact.event, fact)}}


def _drafted(event: Any, fact: Fact) -> Row:
    learned = event.from_recovery
    return {
        "drafted": fact.position,
        "drafted_at": fact.occurred_at,
        **{name: getattr(event, name) for name in ("kind", "topic", "title", "text", "only_for", "recognises")},
        "edition": 1,
        "approved": 0,
        "published": 0,
        **dict.fromkeys(("told", "told_title", "told_text", "published_at", "expires_at")),
        "must_ack": False,
        "audience": event.audience.model_dump(mode="json", exclude_defaults=True),
        "customer_id": learned and learned.customer_id,
        "recovery_id": learned and learned.recovery_id,
        "retired": False,
    }


def _published(before: Row, event: Any, fact: Fact) -> Row:
    return {
        "published": event.version,
        "told": None if event.digest_only else fact.position,
        "told_title": before["title"],
        "told_text": before["text"],
        "published_at": fact.occurred_at,
        "expires_at": event.expires_at,
        "must_ack": event.must_ack,
        "audience": event.audience.model_dump(mode="json", exclude_defaults=True),
    }


def _revised(before: Row, event: Any, fact: Fact) -> Row:
    return {
        "edition": event.edition,
        "title": event.title or before["title"],
        "text": event.text or before["text"],
    }


_CHANGES: Final[dict[str, Callable[[Row, Any, Fact], Row]]] = {
    "lesson.drafted": lambda before, event, fact: {},
    "lesson.approved": lambda before, event, fact: {"approved": event.edition},
    "lesson.published": _published,
    "lesson.revised": _revised,
    # Found to hold still: whoever follows the feed finds it again, under the same id and version.
    "lesson.reconfirmed": lambda before, event, fact: {
        "told": before["told"] and fact.position,
        "expires_at": event.expires_at,
    },
    "lesson.retired": lambda before, event, fact: {"retired": True},
}
Lessons.topics = frozenset(_CHANGES)
_RECEIPTS: Final = {"lesson.read": False, "lesson.acknowledged": True}


class Receipts(Projection):
    """Who read and acknowledged what, and who may be named."""

    name = "receipts"
    version = 1
    topics = frozenset((*_RECEIPTS, "naming_consent.set"))
    tables = (lesson_receipts, naming_consents)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for a receipt; the one of a colleague's consent is replaced."""
        event: Any = fact.event
        if event.TOPIC == "naming_consent.set":
            return {("naming_consents",): {"position": fact.position, "given": event.given}}
        acknowledged = _RECEIPTS.get(event.TOPIC)
        if acknowledged is None:
            return {}
        row = {
            "position": fact.position,
            "lesson_id": event.lesson_id,
            "version": event.version,
            "acknowledged": acknowledged,
            "occurred_at": fact.occurred_at,
        }
        return {("lesson_receipts", fact.position): row}
