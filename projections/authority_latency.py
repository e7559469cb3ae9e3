"""Authority latency: how much is decided by whoever stands before the customer, and how long the rest waits."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from domain.rates import Rate, Spread, rate, spread_of_counts
from projections.base import Source
from projections.period import AT_A_TIME, Period, Report, counted_cases
from projections.recovery_rows import recoveries
from projections.voices import Voices, voices

Answer = Literal["in_time", "late", "refused", "auto", "waiting", "withdrawn"]
ANSWERS: Final[tuple[Answer, ...]] = ("in_time", "late", "refused", "auto", "waiting", "withdrawn")
FRONT_LINE: Final = ("front", "back", "partner")
"""Whoever does the work himself, a technician as well as a waiter. A manager or a program is somebody else."""


class Waiting(BaseModel):
    """The requests that ended in one way, and how many seconds each waited for that."""

    answer: Answer
    n: int
    waited_s: Spread


class LatencyReport(Report):
    """How goodwill is decided on. `n` counts what was given alone or asked for.

    `decided_at_front_line`: given by whoever does the work, with nobody's leave. The others were given by a
    manager or a program, or were `asked` for. A request is answered yes `in_time` or `late`, `refused`, or nobody
    answers and the fallback is granted (`auto`); `waiting` has no answer yet, `withdrawn` none any more, since its
    recovery is closed. Its first answer counts. `waited_s` is of all that were answered, auto too.

    `voices`: how many it went through, the one who gives or asks included. Three: nobody answered in time, and
    somebody did after that.
    """

    decided_at_front_line: Rate
    alone: int
    asked: int
    answered_in_time: Rate
    """Of those answered, and of those that still wait beyond their time: by somebody, and in time."""
    waited_s: Spread
    answers: list[Waiting]
    voices: dict[int, int]


@dataclass
class Request:
    """One request, and its answers in order."""

    asked: Any
    answers: list[Any] = field(default_factory=list)

    def answer(self, case: Any, as_of: datetime) -> Answer:
        """How it was answered first, or why it was not."""
        if not self.answers:
            return "withdrawn" if case.closed_at is not None and case.closed_at <= as_of else "waiting"
        first = self.answers[0]
        if first.step == "timed_out":
            return "auto"
        if first.step == "refused":
            return "refused"
        return "in_time" if first.in_time else "late"

    def in_time(self, as_of: datetime) -> bool | None:
        """Whether somebody answered in time, with yes or no; None where there is time left."""
        if not self.answers:
            return None if as_of <= self.asked.decide_by else False
        first = self.answers[0]
        return first.step != "timed_out" and bool(first.occurred_at <= self.asked.decide_by)

    @property
    def voices(self) -> int:
        """Through how many it went."""
        gone_over = bool(self.answers) and self.answers[0].occurred_at >= self.asked.decide_by
        return 2 + (gone_over and any(one.step != "timed_out" for one in self.answers))


def report(source: Source, period: Period) -> LatencyReport:
    """What was given alone or asked for in this period, and what became of it by then."""
    cases = counted_cases(source, [recoveries.c.closed_at])
    alone, requests = _spoken(source, period)
    alone = [one for one in alone if (one.stream_id, one.recovery_id) in cases]
    asked = [one for one in requests if (one.asked.stream_id, one.asked.recovery_id) in cases]
    front = sum(one.role_class in FRONT_LINE for one in alone)
    waited, n = _waited(asked, cases, period.as_of), len(alone) + len(asked)
    timely = [one.in_time(period.as_of) for one in asked if _counts(one, cases, period.as_of)]
    chain = Counter({1: len(alone)} if alone else {}) + Counter(one.voices for one in asked)
    return LatencyReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=n,
        decided_at_front_line=rate(front, n),
        alone=len(alone),
        asked=len(asked),
        answered_in_time=rate(sum(one is True for one in timely), sum(one is not None for one in timely)),
        waited_s=spread_of_counts(sum(waited.values(), Counter())),
        answers=[_waiting(one, asked, cases, waited, period.as_of) for one in ANSWERS],
        voices=dict(sorted(chain.items())),
    )


def _counts(request: Request, cases: Any, as_of: datetime) -> bool:
    # What was taken back unanswered was not answered late.
    return _answered(request, cases, as_of) != "withdrawn"


def _answered(request: Request, cases: Any, as_of: datetime) -> Answer:
    return request.answer(cases[request.asked.stream_id, request.asked.recovery_id], as_of)


def _waited(asked: Iterable[Request], cases: Any, as_of: datetime) -> dict[Answer, Counter[int]]:
    """How often each answer came after so many seconds."""
    waited: dict[Answer, Counter[int]] = {one: Counter() for one in ANSWERS}
    for request in asked:
        if request.answers:
            waited[_answered(request, cases, as_of)][request.answers[0].waited_s] += 1
    return waited


def _waiting(
    answer: Answer, asked: Iterable[Request], cases: Any, waited: dict[Answer, Counter[int]], as_of: datetime
) -> Waiting:
    n = sum(_answered(one, cases, as_of) == answer for one in asked)
    return Waiting(answer=answer, n=n, waited_s=spread_of_counts(waited[answer]))


def _spoken(source: Source, period: Period) -> tuple[list[Any], list[Request]]:
    """What was given alone and asked for in the period, each request with its answers until then."""
    of = voices.c
    query = select(*(one for one in of if one.name not in ("ledger", "generation")))
    rows = source.conn.execute(
        query.where(*source.of(Voices, voices), of.occurred_at <= period.as_of)
        .order_by(of.stream_id, of.position)
        .execution_options(yield_per=AT_A_TIME)
    )
    alone: list[Any] = []
    requests: dict[tuple[UUID, UUID], Request] = {}
    for row in rows:
        inside = period.covers(row.occurred_at)
        if row.step == "alone" and inside:
            alone.append(row)
        elif row.step == "asked" and inside:
            requests[row.stream_id, row.compensation_id] = Request(row)
        elif (request := requests.get((row.stream_id, row.compensation_id))) is not None:
            request.answers.append(row)
    return alone, list(requests.values())
