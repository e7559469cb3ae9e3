"""Batches: many events in one request, taken in order and committed a page at a time, each with its own result."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from starlette.responses import Response

from api import cloudevents
from api.aside import aside
from api.auth import Credential
from api.deps import Services
from api.problems import RETRY_AFTER, ProblemError, placed
from api.refusals import problem_of
from api.warning import warnings
from api.writes import AWAITED, Warned, answered, of_event, order_of, outcome_body
from domain.errors import Busy
from infrastructure.orders import Answer, Order, Outcome

DATA: Final = ("data",)
"""Where the command stands in each item."""


async def posted(services: Services, caller: Credential, body: bytes) -> Response:
    """The answer to a batch: a result for each event, in order. Raises Busy when there was room for none."""
    read = await aside(body, lambda: _read(services, caller, body))
    # All are handed over at once: the writer keeps their order, and few commits do for all.
    orders = [one for one in read if isinstance(one, Order)]
    written = await answered(services, orders) if orders else []
    if written and all(isinstance(one, Busy) for one in written):
        raise Busy
    warned = await warnings(services, caller, zip(orders, written, strict=True))
    told = ((one, warned.get(at, ())) for at, one in enumerate(written))
    answers = [next(told) if isinstance(one, Order) else (one, ()) for one in read]
    return _told(answers, services.settings.address)


def _read(services: Services, caller: Credential, body: bytes) -> list[Order | Exception]:
    items, most = cloudevents.batch(body), services.settings.max_batch
    if len(items) > most:
        raise ProblemError("batch_too_large", f"at most {most} events in one batch", limit=most)
    return [_read_item(services, caller, item) for item in items]


def _read_item(services: Services, caller: Credential, item: Any) -> Order | Exception:
    try:
        return order_of(services, caller, of_event(cloudevents.incoming(item), caller))
    except Exception as refusal:  # noqa: BLE001 - an item's refusal is that item's result, known or not
        return refusal


def _told(answers: Sequence[tuple[Answer, Warned]], base_url: str) -> Response:
    positions = [one.position for one, _ in answers if isinstance(one, Outcome)]
    headers = {"Amends-Position": str(max(positions))} if positions else {}
    if any(isinstance(one, Busy) for one, _ in answers):
        headers["Retry-After"] = str(RETRY_AFTER[Busy.code])
    results = [_result(one, warned, base_url) for one, warned in answers]
    return Response(orjson.dumps({"results": results}), 200, headers, "application/json")


def _result(answer: Answer, warned: Warned, base_url: str) -> dict[str, Any]:
    if isinstance(answer, Outcome):
        asked = answer.receipts and answer.receipts[0].topic in AWAITED
        body = outcome_body(answer, warned=warned)
        return {"status": 202 if asked else 201, "replayed": answer.replayed, **body}
    problem = problem_of(placed(answer, DATA), base_url)
    return {"status": problem["status"], "problem": problem}
