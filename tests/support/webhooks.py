"""Webhooks of a running service: made over HTTP, delivered when a test says so, to receivers on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infrastructure.webhooks.courier import Courier
from infrastructure.webhooks.messages import Tell
from tests.support.http import Service, service
from tests.support.receivers import Receiver

SETTINGS = {"webhook_http": True, "webhook_allow": "127.0.0.0/8"}


@dataclass
class Hook:
    """One webhook, as its administrator sees it."""

    office: "Office"
    webhook_id: str
    secret: str
    path: str = field(init=False)

    def __post_init__(self) -> None:
        self.path = f"/v1/webhooks/{self.webhook_id}"

    def now(self) -> dict[str, Any]:
        """How it stands."""
        answer = self.office.house.http.get(self.path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def change(self, **said: Any) -> dict[str, Any]:
        """Says this about it."""
        answer = self.office.house.http.patch(self.path, json=said)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def resend(self, **said: Any) -> None:
        """Has something told again."""
        self.office.house.post(f"{self.path}/resend", said, status=202)

    def dead_letters(self) -> list[dict[str, Any]]:
        """What was given up."""
        found: list[dict[str, Any]] = self.office.house.get(f"{self.path}/dead-letters")["data"]
        return found


@dataclass
class Office:
    """A service and who delivers its webhooks."""

    house: Service
    courier: Courier

    def another(self, tell: Tell | None = None, **options: Any) -> Courier:
        """The courier of another process on the same ledger, which may `tell` otherwise.

        Without `jitter` its rests are never longer.
        """
        return _courier(self.house, tell or self.house.container.told_of, **options)

    @contextmanager
    def telling(self, receiver: Receiver | str, **said: Any) -> Iterator[Hook]:
        """A webhook to this receiver for as long as the block lasts."""
        url = receiver if isinstance(receiver, str) else receiver.url
        made = self.house.post("/v1/webhooks", {"url": url, **said})
        hook = Hook(self, made["webhook_id"], made["secret"])
        try:
            yield hook
        finally:
            assert self.house.http.delete(hook.path).status_code == 204

    def happen(self, number: str, times: int = 1) -> list[int]:
        """A customer opened and so many failures reported: the positions of all that is recorded of it."""
        before = self.house.container.ledger.head()
        customer = self.house.customer(number)
        for n in range(times):
            self.house.post(f"/v1/customers/{customer}/report-failure", {"what": "late", "description": f"{n}"})
        return list(range(before + 1, self.house.container.ledger.head() + 1))

    def deliver(self) -> None:
        """One round."""
        self.courier.run_once()


def _courier(house: Service, tell: Tell, **options: Any) -> Courier:
    parts = house.container
    return Courier(
        parts.delivering,
        parts.mapper,
        parts.webhooks,
        parts.guard,
        tell,
        parts.clock,
        **{"jitter": lambda: 0.0, "metrics": parts.metrics} | options,
    )


def office_of(house: Service) -> Office:
    """Who delivers the webhooks of this service."""
    return Office(house, _courier(house, house.container.told_of))


@contextmanager
def office(database: str, folder: Path, **settings: Any) -> Iterator[Office]:
    """A service whose webhooks may go to loopback."""
    with service(database, folder, **SETTINGS | settings) as house:
        yield office_of(house)
