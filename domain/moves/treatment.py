"""Treatment: how we made it worse by the way we treated the customer."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from domain.errors import UnknownRef
from domain.kinds import Context, Event, Fact
from domain.milestones import reopened
from domain.recovery import Recovery
from domain.relationship import OptionalRecoveryEvent, RecoveryCommand, Relationship, refuse_unknown
from domain.values import CallerRef, ColleaguePersonal, Degree, OneOf, Personal, Words
from domain.vocabulary import RoleClass

Treatment = Annotated[
    str,
    OneOf(
        ("last_word", "blaming", "condescension", "favour_flaunting", "effort_flaunting", "perception_contested")
        + ("dismissal", "rude", "privacy_slip", "other")
    ),
]
From = Literal["customer", "witness", "self", "review"]
Witnessed = Literal["none", "some", "public"]


class TreatmentReported(OptionalRecoveryEvent, topic="treatment.reported"):
    """We treated the customer poorly. Who it was is that colleague's personal data."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    treatment: Treatment
    degree: Degree = 1
    after_resolution: bool = False
    witnessed: Witnessed = "none"
    by_role_class: RoleClass | None = None
    by_colleague: ColleaguePersonal[UUID] | None = None
    from_: From = Field(default="customer", alias="from")
    """Who told us."""

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        # Every position, also where nobody is named: a fold without keys cannot tell the difference.
        return recovery.but(
            treatments=(*recovery.treatments, fact.position),
            public=recovery.public or self.witnessed == "public",
        )


class ReportTreatment(RecoveryCommand, path="report-treatment", facts=(TreatmentReported,)):
    """Report poor treatment. On what was resolved or closed it opens the case again (I-18)."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    treatment: Treatment
    degree: Degree = 1
    witnessed: Witnessed = "none"
    by_role_class: RoleClass | None = None
    by_colleague: CallerRef | None = None
    from_: From = Field(default="customer", alias="from")
    """Who told us."""

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        recovery = self.found_if_any(state, at)
        ended = recovery is not None and recovery.ended
        given = self.model_dump(exclude_none=True, exclude={"about", "by_colleague"})
        derived = {
            "recovery_id": recovery.recovery_id if recovery else None,
            "after_resolution": ended,
            "by_colleague": at.pseudonym("colleague", self.by_colleague) if self.by_colleague else None,
        }
        reported = TreatmentReported.model_validate(given | derived)
        return [reported, *(reopened(recovery, "treatment", at) if recovery and ended else [])]


class TreatmentAnswered(OptionalRecoveryEvent, topic="treatment.answered"):
    """The colleague's side of it."""

    note: Personal[Words]


class AnswerTreatment(RecoveryCommand, path="answer-treatment", facts=(TreatmentAnswered,)):
    """Give the colleague's side of a report of poor treatment."""

    note: Personal[Words]

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        recovery = self.found_if_any(state, at)
        named = self.recovery_id is not None or self.about is not None
        if recovery is not None and not recovery.treatments:
            if named:
                raise UnknownRef("report of poor treatment", recovery.recovery_id)
            recovery = None
        answered = {"recovery_id": recovery.recovery_id if recovery else None, "note": self.note}
        return [TreatmentAnswered.model_validate(answered)]
