"""Events out: every fact as a CloudEvent, with its personal parts only for those who may see them."""

from typing import Any

import orjson

from domain.colleagues.state import ColleagueEvent
from domain.kinds import Event, Fact
from domain.lessons.lesson import LessonEvent
from domain.values import Absent, Money


def of_colleague(fact: Fact) -> bool:
    """Whether the fact names a colleague in a report of poor treatment, belongs to such a report, or is about
    nothing but a colleague.

    All of it is shown with scope `personnel` only.
    """
    event = fact.event
    named = any(getattr(event, name, None) is not None for name in event.COLLEAGUE)
    lesson = isinstance(event, LessonEvent) and event.of_one
    return named or lesson or about_colleagues(type(event))


def about_colleagues(kind: type[Event]) -> bool:
    """Whether every event of this kind is about nothing but a colleague."""
    return kind.FOR_PERSONNEL or issubclass(kind, ColleagueEvent)


def cloudevent(fact: Fact, base_url: str) -> dict[str, Any]:
    """The fact in the CloudEvents envelope. `sequence` is its position, padded so that it sorts as text."""
    event = fact.event
    event_type, data, hidden = _content(event)
    found = {
        "specversion": "1.0",
        "id": str(fact.event_id),
        "source": fact.source,
        "type": event_type,
        "subject": str(fact.stream_id),
        "time": fact.occurred_at,
        "datacontenttype": "application/json",
        "dataschema": f"{base_url}/v1/schemas/{event_type}",
        "sequence": f"{fact.position:016d}",
        "partitionkey": str(fact.stream_id),
        "streamversion": fact.version,
        "recordedat": fact.recorded_at,
        "actor": fact.actor.ref,
        "actorkind": fact.actor.kind,
        "actorrole": fact.actor.role,
        "actorroleclass": fact.actor.role_class,
        "correlationid": fact.correlation_id,
        "causationid": fact.causation_id,
        "traceparent": fact.traceparent,
        "timeknown": None if fact.time_known else False,
        "hidden": hidden,
    }
    return {name: value for name, value in found.items() if value is not None} | {"data": data}


def type_of(event: Event) -> str:
    """The CloudEvents type of an event, of a kind that this program does not know, too."""
    return f"amends.{getattr(event, 'topic', event.TOPIC)}.v1" if is_foreign(event) else event.TYPE


def is_foreign(event: Event) -> bool:
    """Whether this program does not know what it says."""
    return isinstance(getattr(event, "state", None), bytes)


def _content(event: Event) -> tuple[str, dict[str, Any], str | None]:
    """The type, the data, and the word for what is missing in it: withheld or erased."""
    state = getattr(event, "state", None)
    if isinstance(state, bytes):
        return type_of(event), _foreign(state), None
    absent = {name: value for name, value in event if isinstance(value, Absent)}
    data = event.model_dump(mode="json", exclude_none=True, exclude=set(absent), context=Money.OUTSIDE)
    why = sorted({value.why for value in absent.values()})
    return event.TYPE, data, why[0] if why else None


def _foreign(state: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(state)
    except orjson.JSONDecodeError:
        return {}
    return {name: one for name, one in value.items() if name != "m"} if isinstance(value, dict) else {}
