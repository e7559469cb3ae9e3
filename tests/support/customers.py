"""One customer's story told over HTTP, at moments counted in minutes from when it began."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.support.http import Service

Term = tuple[str, int, int]
"""What moved the score, by how much, and where it stood then; in hundredths of a point."""


@dataclass
class Customer:
    """A customer of the running service, and when his story began."""

    service: Service
    customer_id: str
    began: datetime

    def __post_init__(self) -> None:
        self.path = f"/v1/customers/{self.customer_id}"

    def when(self, command: str, at: float | None = None, *, status: int = 201, **body: Any) -> dict[str, Any]:
        """The answer to this command, told `at` minutes after the beginning; without `at` it happens now."""
        if at is not None:
            body["occurred_at"] = (self.began + timedelta(minutes=at)).isoformat()
        return self.service.post(f"{self.path}/{command}", body, status=status)

    def satisfaction(self) -> dict[str, Any]:
        """How content he is."""
        found: dict[str, Any] = self.service.get(self.path)["satisfaction"]
        return found

    def scored(self) -> tuple[int, str]:
        """The score in hundredths of a point, and its band."""
        found = self.satisfaction()
        return found["score"], found["band"]

    def recoveries(self) -> list[dict[str, Any]]:
        """Those that are not closed."""
        found: list[dict[str, Any]] = self.service.get(self.path)["open_recoveries"]
        return found

    def recovery(self) -> dict[str, Any]:
        """The only one that is not closed."""
        [only] = self.recoveries()
        return only

    def terms(self) -> list[Term]:
        """What moved the score, in order. Asserts that the sum is the score, folded live and anew alike."""
        told = self.service.get(f"{self.path}/explain")
        newest = self.service.get(self.path)["version"]
        assert self.service.get(f"{self.path}/explain?at_version={newest}") == told
        total = told["start"]
        for term in told["terms"]:
            total += term["change"]
            assert term["total"] == total
            assert term["event_id"]
        assert told["score"] == max(0, min(total, 9500))
        return [(term["label"], term["change"], term["total"]) for term in told["terms"]]

    def timeline(self) -> list[dict[str, Any]]:
        """Everything that happened, in order."""
        found: list[dict[str, Any]] = self.service.get(f"{self.path}/timeline?limit=500")["data"]
        return found

    def kinds(self, *left_out: str) -> list[str]:
        """The kinds of what happened, in order, but for those that only keep the house's clocks."""
        hidden = ("deadline.set", "deadline.moved", *left_out)
        return [one["kind"] for one in self.timeline() if one["kind"] not in hidden]


def customer(service: Service, number: str, *, began: datetime | None = None) -> Customer:
    """The customer whom the caller's own system knows under this number; his story begins now, or then."""
    return Customer(service, service.customer(number), began or service.clock.now)
