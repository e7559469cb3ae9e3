"""What other services tell in bulk: CloudEvents of customers whom they know by their own numbers."""

from collections.abc import Sequence
from typing import Any

from tests.support.http import Service

Event = dict[str, Any]


def told(topic: str, number: str, *, key: str | None = None, time: str | None = None, **data: Any) -> Event:
    """One event about the customer whom the service knows by this number."""
    event = {
        "specversion": "1.0",
        "id": key or f"{number}:{topic}",
        "source": "urn:test",
        "type": f"amends.{topic}.v1",
        "data": {"customer": {"kind": "crm", "value": number}, **data},
    }
    return event if time is None else event | {"time": time}


def tell(house: Service, events: Sequence[Event]) -> list[dict[str, Any]]:
    """What the house answered to each, told in batches as large as it takes."""
    results: list[dict[str, Any]] = []
    for start in range(0, len(events), 500):
        sent = {"Content-Type": "application/cloudevents-batch+json"}
        answer = house.http.post("/v1/events", json=list(events[start : start + 500]), headers=sent)
        assert answer.status_code == 200, answer.text
        results += answer.json()["results"]
    return results
