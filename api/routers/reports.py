"""Reports: what the whole of it tells the house, each as a plain question."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from api.auth import Reading
from api.deps import reading, services_of
from api.leading import Asking, told_of
from api.problems import validation_failed
from api.reads import FRESH, CaughtUp, answer
from domain.values import CallerRef, Code, Moment
from projections import (
    authority_latency,
    calibration,
    compensation_spend,
    deadlines,
    follow_ups,
    invitations,
    justice,
    loyalty_makers,
    obstacles,
    playbook_effects,
    policy_friction,
    process_load,
    repeat_failures,
    revenue,
    root_causes,
    speed_vs_retention,
    told_first,
    training,
    workload,
)
from projections.base import Source
from projections.period import Period

router = APIRouter(tags=["reports"])


class Asked(BaseModel):
    """Which part of the story is asked for, and as of when."""

    since: Annotated[Moment | None, Query(description="only what happened from then on")] = None
    until: Annotated[Moment | None, Query(description="only what happened before then")] = None
    as_of: Annotated[Moment | None, Query(description="as it stood then; without it, now")] = None


def period_of(request: Request, asked: Annotated[Asked, Query()]) -> Period:
    """The period asked for. Raises `validation_failed` for one that ends before it begins."""
    as_of: datetime = asked.as_of or services_of(request).clock()
    if asked.since is not None and asked.until is not None and asked.until <= asked.since:
        raise validation_failed("/until", "until must lie after since", "period_empty", "query")
    return Period(asked.since, asked.until, as_of)


InPeriod = Annotated[Period, Depends(period_of)]


def _report(name: str, body: type[BaseModel]) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """The route of a report: GET /v1/reports/<name>."""
    extra: dict[str, Any] = {"parameters": FRESH}
    return router.get(f"/v1/reports/{name}", response_model=body, openapi_extra=extra, dependencies=[CaughtUp])


def _told(request: Request, query: Callable[[Source], BaseModel]) -> Response:
    """What this query answers, with the position it was asked at."""
    with reading(services_of(request), unmoving=True) as view:
        found = query(view.source)
    return answer(request, found, position=view.position)


@_report("obstacles", obstacles.ObstacleReport)
def obstacles_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """What stood in the way of helping, the heaviest first: by kind, tool, whose it was, topic and mode.

    `since` and `until` go by when the obstacle was met. What may be lost with the customers who met it is an
    estimate. `treatments` counts poor treatment by kind, never by whom.
    """
    then = services_of(request).ledger.position_at(revenue.looked_back(period.as_of))
    return _told(request, lambda source: obstacles.report(source, period, then))


@_report("policy-friction", policy_friction.FrictionReport)
def policy_friction_report(
    request: Request,
    caller: Reading,
    period: InPeriod,
    forces_failure: Annotated[
        bool | None,
        Query(description="only rules that let a failure happen first, or only the others"),
    ] = None,
) -> Response:
    """Which of our own rules stood in the way, how often, for how long, and what helped against it.

    `since` and `until` go by when the rule blocked. Rules that let a failure happen before anybody may help come
    first, then those that their owners should look at.
    """
    services = services_of(request)
    published, then = services.publications(), services.ledger.position_at(revenue.looked_back(period.as_of))
    return _told(
        request,
        lambda source: policy_friction.report(source, period, published, then, forces_failure=forces_failure),
    )


@_report("root-causes", root_causes.CauseReport)
def root_causes_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """Why it went wrong: the house, a person, or neither, and by class.

    `since` and `until` go by when the cause was named. Of each recovery the last word counts.
    """
    return _told(request, lambda source: root_causes.report(source, period))


@_report("process-load", process_load.LoadReport)
def process_load_report(
    request: Request,
    caller: Reading,
    period: InPeriod,
    recovery_id: Annotated[UUID | None, Query(description="only this recovery")] = None,
) -> Response:
    """How much procedure recoveries cost: approvals, hand-offs, questions and repeat contacts.

    `since` and `until` go by when the failure was reported. The index of a recovery is the sum of the four.
    """
    return _told(request, lambda source: process_load.report(source, period, recovery_id))


@_report("told-first", told_first.ToldFirstReport)
def told_first_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """Of the failures we noticed ourselves, how many the customer heard of from us before he asked.

    `since` and `until` go by when the failure was noticed.
    """
    return _told(request, lambda source: told_first.report(source, period))


@_report("deadlines", deadlines.DeadlineReport)
def deadlines_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """How well we keep the times we set ourselves, by step and severity, and how long each step takes.

    `since` and `until` go by when the clock was started.
    """
    return _told(request, lambda source: deadlines.report(source, period))


@_report("revenue", revenue.RevenueReport)
def revenue_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """What may be lost of a year's revenue, what was lost, and what putting things right may have saved.

    Estimates are called so and print what they rest on. `since` and `until` go by when a customer left, when a
    recovery was resolved, and when compensation was handed over. Currencies are never added up.
    """
    then = services_of(request).ledger.position_at(revenue.looked_back(period.as_of))
    return _told(request, lambda source: revenue.report(source, period, then))


@_report("compensation", compensation_spend.SpendReport)
def compensation_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """What was given beyond what was owed: by ground, by kind, and by whose budget it came from.

    `since` and `until` go by when it was granted. What a cost centre spent and what it has promised are told by
    its budgets themselves; statutory and contractual compensation draws on none. Currencies are never added up.
    """
    return _told(request, lambda source: compensation_spend.report(source, period))


@_report("loyalty-makers", loyalty_makers.MakersReport)
def loyalty_makers_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """Which role classes and roles make customers more content, in the back office too.

    `since` and `until` go by when somebody did something for a customer. Groups of fewer than 5 colleagues are
    hidden, and no person is named or ranked.
    """
    return _told(request, lambda source: loyalty_makers.report(source, period))


@_report("calibration", calibration.CalibrationReport)
def calibration_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """How far what we had inferred was from what customers then said, by instrument and by how it was resolved.

    `since` and `until` go by when the customer said it; for `dissatisfied` by when the failure was reported.
    """
    return _told(request, lambda source: calibration.report(source, period))


@_report("justice", justice.JusticeReport)
def justice_report(
    request: Request,
    caller: Reading,
    period: InPeriod,
    customer_id: Annotated[UUID | None, Query(description="this customer's recoveries, one by one")] = None,
) -> Response:
    """What customers got for a failure, how they were met, and how it went, by kind of failure.

    `since` and `until` go by when the failure was reported.
    """
    return _told(request, lambda source: justice.report(source, period, customer_id))


@_report("repeat-failures", repeat_failures.RepeatReport)
def repeat_failures_report(
    request: Request,
    caller: Reading,
    period: InPeriod,
    changed_at: Annotated[Moment | None, Query(description="compare before and after this moment")] = None,
    within_days: Annotated[int, Query(ge=1, le=3650, description="so soon it counts as the same again")] = 180,
    similarity_key: Annotated[Code | None, Query(description="only failures of this sort")] = None,
) -> Response:
    """What fails again for the same customer, and whether it became less after something was changed.

    `since` and `until` go by when the failure was reported. Only failures that could be followed for all of
    `within_days` count towards the share that came back.
    """
    return _told(
        request,
        lambda source: repeat_failures.report(source, period, changed_at, within_days, similarity_key),
    )


@_report("training", training.TrainingReport)
def training_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """Where training was missing, what became of requests for help, and who was trained, front and back.

    `since` and `until` go by when the obstacle was met, the help asked for and the training completed. Figures of
    fewer than 5 colleagues are hidden, and no person is named or ranked.
    """
    return _told(request, lambda source: training.report(source, period))


@_report("playbooks", playbook_effects.PlaybookReport)
def playbooks_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """For how many failures a playbook was ready when they came, and how it went by playbook and version.

    `since` and `until` go by when the failure was reported.
    """
    published = services_of(request).publications()
    return _told(request, lambda source: playbook_effects.report(source, period, published))


@_report("authority-latency", authority_latency.LatencyReport)
def authority_latency_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """How much goodwill is decided by whoever stands before the customer, and how long the rest waits for a yes.

    `since` and `until` go by when it was given alone or asked for.
    """
    return _told(request, lambda source: authority_latency.report(source, period))


@_report("workload", workload.WorkloadReport)
def workload_report(
    request: Request,
    caller: Reading,
    period: InPeriod,
    colleague: Annotated[CallerRef | None, Query(description="your own id of a colleague: his load too")] = None,
    asking: Asking = None,
) -> Response:
    """What is open and promised beside what can be taken on, by team; of one colleague for him and his leader.

    `since` and `until` go by when the failure was reported and the promise made. The load of one colleague is told
    to keys with the scope `personnel`; any other says in `Amends-Colleague` who asks, which needs the scope
    `act_for`, and is told of him and of those whom he leads.
    """
    colleague_id = told_of(services_of(request), caller, colleague, asking)
    return _told(request, lambda source: workload.report(source, period, colleague_id))


@_report("follow-ups", follow_ups.FollowUpReport)
def follow_ups_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """How sure customers are that it will not happen again, and how well treated, beside how content they are.

    `since` and `until` go by when the follow-up was completed and the remedy delivered; for
    `treated_poorly_after` by when the failure was reported.
    """
    return _told(request, lambda source: follow_ups.report(source, period))


@_report("invitations", invitations.InvitationReport)
def invitations_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """How many whom we invited back came, and after how many days.

    `since` and `until` go by when they were invited.
    """
    return _told(request, lambda source: invitations.report(source, period))


@_report("speed-vs-retention", speed_vs_retention.SpeedReport)
def speed_vs_retention_report(request: Request, caller: Reading, period: InPeriod) -> Response:
    """Whether customers whom we helped quickly are still there half a year later.

    `since` and `until` go by when the recovery was resolved.
    """
    return _told(request, lambda source: speed_vs_retention.report(source, period))
