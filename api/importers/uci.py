"""The event log of an IT service desk (UCI 498): rows of one incident, in the file's order, tell its recovery."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import ClassVar, Final
from uuid import NAMESPACE_URL, uuid5

from api.importers.cases import Step, reason_of, similarity, slug
from api.importers.rows import Reject, Row, Source
from domain.milestones import Reference
from domain.moves.contact import RequestInformation
from domain.moves.failure import Reassess, ReportFailure
from domain.moves.handling import HandOff
from domain.moves.outcome import Close, Reopen, Resolve
from domain.moves.remedy import DeliverRemedy
from domain.moves.source_deadline import RecordSourceDeadline
from domain.moves.waiver import WaiveStep
from domain.relationship import RelationshipCommand
from domain.values import RecoveryId

INCIDENTS: Final = uuid5(NAMESPACE_URL, "amends:import:uci-incidents")
SEVERITIES: Final = {"1": 5, "2": 4, "3": 3, "4": 2}
CHANNELS: Final = {"phone": "phone", "email": "email", "self-service": "web_form"}
NOBODY: Final = "?"
UNRECORDED: Final = ("apology", "compassion", "compensation", "root_cause")


class UciIncidents:
    """Reads the incident event log; one incident's rows stand together."""

    NAME: ClassVar[str] = "uci-incidents"
    REQUIRED: ClassVar[tuple[str, ...]] = (
        "number",
        "incident_state",
        "caller_id",
        "opened_at",
        "sys_updated_at",
        "priority",
    )

    def steps(self, source: Source) -> Iterator[Step | Reject | Row]:
        """One step for each row that says something new, the row itself where it does not."""
        for number, records in groupby(source.records, key=_number):
            rows = []
            for record in records:
                if isinstance(record, Reject):
                    yield record
                else:
                    rows.append(record)
            if number is not None:
                yield from Incident(number, rows).steps()


def _number(record: Row | Reject) -> str | None:
    return record.fields["number"] if isinstance(record, Row) else None


@dataclass
class Incident:
    """What was told of one incident so far, so that each row says only what is new."""

    number: str
    rows: list[Row]
    customer: Reference | None = None
    state: str = ""
    severity: int = 0
    handed_off: int = 0
    reopened: int = 0
    resolved: bool = False

    @property
    def recovery_id(self) -> RecoveryId:
        """The same id for the same incident, whichever run tells it."""
        return RecoveryId(uuid5(INCIDENTS, self.number))

    def steps(self) -> Iterator[Step | Reject | Row]:
        """The steps of all rows, in the file's order."""
        for ordinal, row in enumerate(self.rows):
            try:
                yield from self._row(row, ordinal)
            except ValueError as fault:
                yield Reject(row.line, reason_of(fault), tuple(row.fields.values()))

    def _row(self, row: Row, ordinal: int) -> Iterator[Step | Row]:
        told = self.customer is not None
        if self.customer is None:
            caller = row.fields["caller_id"]
            self.customer = Reference(kind="uci", value=self.number if caller == NOBODY else caller)
            yield self._step(row, "opened", "opened_at", [self._failure(row)])
        news = list(self._news(row, last=ordinal == len(self.rows) - 1))
        if news:
            yield self._step(row, str(ordinal), "sys_updated_at", news)
        elif told:
            yield row

    def _step(self, row: Row, key: str, time: str, commands: list[RelationshipCommand]) -> Step:
        assert self.customer is not None  # noqa: S101 - set before the first step of the incident
        moment = _moment(row.fields[time])
        return Step(row, f"{self.number}:{key}", self.customer, moment, True, tuple(commands))

    def _failure(self, row: Row) -> ReportFailure:
        fields = row.fields
        self.severity = _severity(row)
        said = [fields.get(name, NOBODY) for name in ("category", "subcategory", "u_symptom")]
        told = [text for text in said if text != NOBODY]
        channel = slug(fields.get("contact_type", "other"))
        return ReportFailure(
            recovery_id=self.recovery_id,
            what="other",
            severity=self.severity,
            description=" / ".join(told) or "no category recorded",
            report=self.number,
            channel=CHANNELS.get(channel, channel.replace("-", "_")),
            similarity_key=similarity(*told[:2]) or "other:",
        )

    def _news(self, row: Row, *, last: bool) -> Iterator[RelationshipCommand]:
        yield from self._severity_changed(row)
        yield from self._handed_on(row)
        yield from self._reopened_again(row)
        state, before = row.fields["incident_state"], self.state
        self.state = state
        if state == "Awaiting User Info" and before != state:
            yield RequestInformation(recovery_id=self.recovery_id, questions=1, purpose="other")
        if state in ("Resolved", "Closed") and not self.resolved:
            yield from self._resolve(row, delivered=state == "Resolved")
        if last and row.fields.get("made_sla") == "false":
            yield RecordSourceDeadline(recovery_id=self.recovery_id, step="remedy", standard="source", missed=True)
        if state == "Closed" and before != state:
            yield WaiveStep(recovery_id=self.recovery_id, step="follow_up", reason="not_recorded")
            yield Close(recovery_id=self.recovery_id, outcome="not_asked")

    def _severity_changed(self, row: Row) -> Iterator[RelationshipCommand]:
        severity = _severity(row)
        if severity != self.severity:
            self.severity = severity
            yield Reassess(recovery_id=self.recovery_id, severity=severity, reason="priority changed")

    def _handed_on(self, row: Row) -> Iterator[RelationshipCommand]:
        count = int(row.fields.get("reassignment_count", "0"))
        for _ in range(self.handed_off, count):
            group, person = (row.fields.get(name, NOBODY) for name in ("assignment_group", "assigned_to"))
            team = slug(group) if group != NOBODY else "unknown"
            yield HandOff(recovery_id=self.recovery_id, to=None if person == NOBODY else person, team=team)
        self.handed_off = max(self.handed_off, count)

    def _reopened_again(self, row: Row) -> Iterator[RelationshipCommand]:
        count = int(row.fields.get("reopen_count", "0"))
        if count > self.reopened and self.resolved:
            self.resolved = False
            yield Reopen(recovery_id=self.recovery_id, cause="recurrence")
        self.reopened = max(self.reopened, count)

    def _resolve(self, row: Row, *, delivered: bool) -> Iterator[RelationshipCommand]:
        self.resolved = True
        if delivered:
            yield DeliverRemedy(recovery_id=self.recovery_id, remedy_kind="other", resolves="unknown")
        else:
            yield WaiveStep(recovery_id=self.recovery_id, step="remedy", reason="not_recorded")
        for step in UNRECORDED:
            yield WaiveStep(recovery_id=self.recovery_id, step=step, reason="not_recorded")
        code = row.fields.get("closed_code", NOBODY)
        how = slug(code) if code != NOBODY else "unknown"
        yield Resolve(recovery_id=self.recovery_id, how_code=how)


def _severity(row: Row) -> int:
    priority = row.fields["priority"]
    if priority[:1] not in SEVERITIES:
        raise ValueError(f"priority {priority[:40]!r} is not known")
    return SEVERITIES[priority[:1]]


def _moment(text: str) -> datetime:
    """A minute written 29/2/2016 01:23, day first, read as UTC. Raises ValueError."""
    return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)
