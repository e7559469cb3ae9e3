"""Consumer complaints to US financial firms (CFPB): one row is one case of one customer."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, Final

from api.importers.cases import Step, day, reason_of, similarity, slug
from api.importers.rows import Reject, Row, Source
from domain.milestones import Reference
from domain.moves.compensation import GrantCompensation
from domain.moves.failure import ReportFailure
from domain.moves.follow_up import CompleteFollowUp
from domain.moves.outcome import Resolve
from domain.moves.remedy import DeliverRemedy
from domain.moves.source_deadline import RecordSourceDeadline
from domain.moves.voice import StateSatisfaction
from domain.moves.waiver import WaiveStep
from domain.relationship import RelationshipCommand

RESPONSE_DAYS: Final = timedelta(days=15)
"""How long a firm has to respond to a complaint sent to it. Source: the CFPB's own rule."""
CHANNELS: Final = {"web": "web_form", "phone": "phone", "email": "email", "postal-mail": "letter"}
REMEDIES: Final = {
    "closed-with-explanation": "explanation",
    "closed-with-non-monetary-relief": "other",
    "closed-with-relief": "other",
}
MONETARY: Final = "closed-with-monetary-relief"
WITHOUT: Final = frozenset({"closed-without-relief", "closed", "untimely-response"})
TIMELY: Final = {"yes": True, "1": True, "no": False, "0": False}
DISPUTED: Final = {"yes": True, "1": True, "no": False, "0": False}
UNKNOWN: Final = frozenset({"", "n/a"})


class Cfpb:
    """Reads the bureau's exports of several years; their column names and date forms differ."""

    NAME: ClassVar[str] = "cfpb"
    REQUIRED: ClassVar[tuple[str, ...]] = ("product", "date_received")

    def steps(self, source: Source) -> Iterator[Step | Reject | Row]:
        """The report of each complaint, then the firm's response and what the consumer said to it."""
        for record in source.records:
            if isinstance(record, Reject):
                yield record
                continue
            try:
                steps = list(_case(record, source))
            except ValueError as fault:
                yield Reject(record.line, reason_of(fault), tuple(record.fields.values()))
                continue
            yield from steps


def _case(row: Row, source: Source) -> Iterator[Step]:
    received, sent = _days(row)
    customer = Reference(kind="cfpb", value=_case_id(row, source))
    yield Step(row, f"{customer.value}:received", customer, received, False, (_failure(row),))
    response = tuple(_response(row, sent))
    if response:
        yield Step(row, f"{customer.value}:response", customer, max(received, sent), False, response)


def _case_id(row: Row, source: Source) -> str:
    given = row.fields.get("complaint_id", "")
    if given and not given.isdigit():
        raise ValueError(f"complaint_id {given[:40]!r} is not a number")
    return given or f"{source.digest}:{row.number}"


def _days(row: Row) -> tuple[datetime, datetime]:
    """(received by the bureau, sent to the company); the bank's export names these two differently."""
    if "date_submitted" in row.fields:
        return day(row.fields["date_submitted"]), day(row.fields["date_received"])
    received = day(row.fields["date_received"])
    sent = row.fields.get("date_sent_to_company", "")
    return received, day(sent) if sent else received


def _failure(row: Row) -> ReportFailure:
    fields = row.fields
    channel = slug(fields.get("submitted_via", "") or "other")
    narrative = fields.get("consumer_complaint_narrative", "").strip()
    return ReportFailure(
        what="other",
        severity=3,
        description=" / ".join(part for part in (fields["product"], fields.get("issue", "")) if part),
        customer_words=narrative or None,
        channel=CHANNELS.get(channel, channel.replace("-", "_")),
        site=slug(fields["company"]) if fields.get("company") else None,
        similarity_key=similarity(fields["product"], fields.get("issue", "")),
    )


def _response(row: Row, sent: datetime) -> Iterator[RelationshipCommand]:
    timely = _known(row, "timely_response", TIMELY)
    response = _response_slug(row)
    untimely = response == "untimely-response"
    if timely is not None or untimely:
        missed = untimely or timely is False
        due_at = sent + RESPONSE_DAYS
        yield RecordSourceDeadline(step="response", due_at=due_at, standard="us_cfpb", missed=missed)
    if response in ("in-progress", "none"):
        return
    yield from _putting_right(response)
    disputed = _known(row, "consumer_disputed", DISPUTED)
    yield from _missing(row, response, followed_up=disputed is not None)
    yield Resolve(how_code=response)
    if disputed is True:
        yield StateSatisfaction(instrument="OUTCOME", outcome="dissatisfied", about="recovery")
    if disputed is False:
        yield CompleteFollowUp(outcome="no_objection")


def _response_slug(row: Row) -> str:
    text = row.fields.get("company_response_to_consumer", row.fields.get("company_response", ""))
    response = slug(text) if text else "none"
    if response not in {*REMEDIES, *WITHOUT, MONETARY, "in-progress", "none"}:
        raise ValueError(f"company response {text[:60]!r} is not known")
    return response


def _putting_right(response: str) -> Iterator[RelationshipCommand]:
    if response == MONETARY:
        yield GrantCompensation(kind="cash", basis="unknown", delivered=True)
    elif response in REMEDIES:
        yield DeliverRemedy(remedy_kind=REMEDIES[response], resolves="unknown")
    else:
        yield WaiveStep(step="remedy", reason="not_recorded")


def _missing(row: Row, response: str, *, followed_up: bool) -> Iterator[RelationshipCommand]:
    """The steps of which the file says nothing, waived as not recorded."""
    yield WaiveStep(step="apology", reason="not_recorded")
    yield WaiveStep(step="compassion", reason="not_recorded")
    if response != MONETARY:
        yield WaiveStep(step="compensation", reason="not_recorded")
    if not followed_up:
        yield WaiveStep(step="follow_up", reason="not_recorded")
    yield WaiveStep(step="root_cause", reason="not_recorded")


def _known(row: Row, name: str, meanings: dict[str, bool]) -> bool | None:
    text = row.fields.get(name, "").strip().lower()
    if text in UNKNOWN:
        return None
    if text not in meanings:
        raise ValueError(f"{name} {text[:40]!r} is neither yes nor no")
    return meanings[text]
