"""Sending again is safe, whatever happened the first time: what callers may rely on, played at random."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx2
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from domain.kinds import AMENDS
from infrastructure.engine import writing
from infrastructure.orders import Order
from infrastructure.recorder import lock_head
from infrastructure.tables import commands, events
from tests.support.http import Service, service
from tests.support.lost_answers import LostAnswers, Moment, lost_answers
from tests.support.processes import eventually
from tests.support.soak import SOAK, thorough_in_soak

pytestmark = thorough_in_soak
LEDGERS: Final = ("main", "other")
PLACES: Final = ("main a", "main b", "main header", "other a")
"""Where a key may be used: two sources of one ledger, its Idempotency-Key header, and another ledger."""
KEYS: Final = st.sampled_from(("plums", "parcel"))
SAID: Final = st.sampled_from(("late", "lost"))
TWINS: Final = 3
_runs = count(1)


@dataclass
class Doors:
    """Both ledgers of one database, open to callers, and the means to lose what they are told."""

    services: dict[str, Service]
    losses: dict[str, LostAnswers]
    customer: str

    def post(self, place: str, key: str, what: str, *, forbidden: bool = False) -> httpx2.Response:
        """The answer to this content under this key at this place; `forbidden` content is against a rule."""
        ledger, _, source = place.partition(" ")
        http = self.services[ledger].http
        body: dict[str, Any] = {"what": what, "description": "it did not come"}
        # News from a time before the first backdate: refused whoever says it.
        at = {"time" if source != "header" else "occurred_at": "1990-01-01T00:00:00Z"} if forbidden else {}
        if source == "header":
            path = f"/v1/customers/{self.customer}/report-failure"
            return http.post(path, json=body | at, headers={"Idempotency-Key": f'"{key}"'})
        data = body | {"customer": {"kind": "crm", "value": "C-1042"}}
        event = {"specversion": "1.0", "id": key, "source": f"urn:{source}", "type": "amends.failure.reported.v1"}
        content = {"Content-Type": "application/cloudevents+json"}
        return http.post("/v1/events", json=event | at | {"data": data}, headers=content)

    @contextmanager
    def one_page(self, place: str, orders: int) -> Iterator[None]:
        """So many orders that are posted meanwhile are committed together: the writer waits for all of them."""
        container = self.services[place.partition(" ")[0]].container
        with writing(container.working) as conn:
            lock_head(conn, container.settings.ledger)
            first = container.writer.submit(Order(command=None, stream=None, actor=AMENDS, source="urn:test"))
            eventually(first.running, "the writer is held up by the lock of another")
            yield
            eventually(lambda: container.writer.waiting == orders, "the orders wait for it")

    def counted(self, ledger: str) -> tuple[int, int]:
        """How many failures the ledger holds, and how many keys were taken."""
        with self.services[ledger].container.engine.connect() as conn:
            failures = select(func.count()).where(events.c.ledger == ledger, events.c.topic == "failure.reported")
            taken = select(func.count()).where(commands.c.ledger == ledger)
            return conn.execute(failures).scalar_one(), conn.execute(taken).scalar_one()


@contextmanager
def doors(database: str, folder: Path) -> Iterator[Doors]:
    """Two ledgers, served."""
    with ExitStack() as open_:
        services = {ledger: open_.enter_context(service(database, folder, ledger=ledger)) for ledger in LEDGERS}
        for ledger, one in services.items():
            one.http.headers.update(one.key(sources=("urn:a", "urn:b"), ledger=ledger))
        losses = {
            ledger: open_.enter_context(lost_answers(one.container.working)) for ledger, one in services.items()
        }
        yield Doors(services, losses, services["main"].customer("C-7"))


@dataclass
class Known:
    """What the ledger must remember under one key."""

    what: str
    told: list[dict[str, Any]] | None = None
    """The receipts; None while nobody has heard them, as the only answer was lost."""


class Retries(RuleBasedStateMachine):
    """Callers who post, lose answers, post again, and post nonsense."""

    doors: Doors

    def __init__(self) -> None:
        super().__init__()
        self._run = next(_runs)
        self._known: dict[tuple[str, str], Known] = {}
        self._before = {ledger: self.doors.counted(ledger) for ledger in LEDGERS}

    @rule(place=st.sampled_from(PLACES), key=KEYS, what=SAID)
    def posts(self, place: str, key: str, what: str) -> None:
        self._hears(place, key, what, self._post(place, key, what))

    @rule(place=st.sampled_from(PLACES), key=KEYS, what=SAID)
    def posts_what_a_rule_forbids(self, place: str, key: str, what: str) -> None:
        answer = self._post(place, key, what, forbidden=True)
        expected = "key_reused" if (place, key) in self._known else "too_old"
        assert answer.json()["type"].endswith(f"/problems/{expected}")

    @rule(place=st.sampled_from(PLACES), key=KEYS, what=SAID, moment=st.sampled_from(("before", "after")))
    def posts_and_the_answer_is_lost(self, place: str, key: str, what: str, moment: Moment) -> None:
        with self.doors.losses[place.partition(" ")[0]].strike(moment):
            answer = self._post(place, key, what)
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
        if moment == "after":
            self._known.setdefault((place, key), Known(what))

    @rule(place=st.sampled_from(PLACES), key=KEYS, what=SAID)
    def several_post_the_same_at_once(self, place: str, key: str, what: str) -> None:
        new = (place, key) not in self._known
        with ThreadPoolExecutor(TWINS) as pool:
            with self.doors.one_page(place, TWINS):
                sent = [pool.submit(self._post, place, key, what) for _ in range(TWINS)]
            answers = [one.result() for one in sent]
        if new:
            self._known[place, key] = Known(what)
            assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
        for answer in answers:
            self._hears(place, key, what, answer, heed_replay=not new)

    @invariant()
    def everything_is_there_once(self) -> None:
        for ledger in LEDGERS:
            expected = sum(place.startswith(ledger) for place, _ in self._known)
            before = self._before[ledger]
            assert self.doors.counted(ledger) == (before[0] + expected, before[1] + expected)

    def teardown(self) -> None:
        for (place, key), known in list(self._known.items()):
            self._hears(place, key, known.what, self._post(place, key, known.what))

    def _post(self, place: str, key: str, what: str, *, forbidden: bool = False) -> httpx2.Response:
        return self.doors.post(place, f"{key}-{self._run}", what, forbidden=forbidden)

    def _hears(
        self, place: str, key: str, what: str, answer: httpx2.Response, *, heed_replay: bool = True
    ) -> None:
        known = self._known.get((place, key))
        if known is not None and known.what != what:
            assert answer.status_code == 422
            assert answer.json()["type"].endswith("/problems/key_reused")
            return
        assert answer.status_code == 201, answer.text
        if heed_replay:
            assert ("Idempotency-Replayed" in answer.headers) == (known is not None)
        told = answer.json()["receipts"]
        if known is None or known.told is None:
            self._known[place, key] = Known(what, told)
        else:
            assert told == known.told


def test_whatever_is_lost_sent_twice_or_mixed_up_every_key_stands_for_one_content_and_one_answer(
    database: str, tmp_path: Path
) -> None:
    with doors(database, tmp_path) as opened:
        machine = type("Retries", (Retries,), {"doors": opened})
        # Short runs in `make test`, many long ones in a soak.
        size = settings(
            max_examples=300 if SOAK else 8,
            stateful_step_count=60 if SOAK else 15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(machine, settings=size)
