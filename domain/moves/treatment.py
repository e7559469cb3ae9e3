"""Treatment: how we made it worse by the way we treated the customer."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from domain.errors import NotNamed, UnknownRef
from domain.kinds import Aggregate, Context, Event, Fact
from domain.milestones import WORST, called_in, reopened
from domain.recovery import Recovery
from domain.relationship import OptionalRecoveryEvent, RecoveryCommand, Relationship, refuse_unknown
from domain.values import CallerRef, ColleaguePersonal, Count, Degree, OneOf, Personal, Words
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

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        if self.recovery_id is None:
            return state.but(treatments=(*state.treatments, fact.position))
        return super().evolve(state, fact)

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        # Every position, also where nobody is named: a fold without keys cannot tell the difference.
        return recovery.but(
            treatments=(*recovery.treatments, fact.position),
            public=recovery.public or self.witnessed == "public",
        )


class ReportTreatment(RecoveryCommand, path="report-treatment", facts=(TreatmentReported,)):
    """Report poor treatment. On what was resolved or closed it opens the case again (I-18).

    Somebody with more authority is called in where it is grave, or names a colleague while the case is somebody's
    (I-21).
    """

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
        named = self._named(at)
        derived = {
            "recovery_id": recovery.recovery_id if recovery else None,
            "after_resolution": ended,
            "by_colleague": named,
        }
        reported = TreatmentReported.model_validate(given | derived)
        if recovery is None:
            return [reported]
        follows = reopened(recovery, "treatment", at) if ended else []
        # Whose case it is may be the one. What follows is the same for everybody, else it would tell who it is.
        may_be_his_own = named is not None and recovery.owner is not None
        above = called_in(recovery, "treatment", at) if may_be_his_own or self.degree == WORST else []
        return [reported, *follows, *above]

    def _named(self, at: Context) -> UUID | None:
        """Whom it names. Who reports himself need not say so twice."""
        if self.by_colleague:
            return at.pseudonym("colleague", self.by_colleague)
        return at.actor.colleague_id if self.from_ == "self" else None


class TreatmentAnswered(OptionalRecoveryEvent, topic="treatment.answered"):
    """The colleague's side of it. Who answers is sealed with what he says: it would show whom it is about."""

    FOR_PERSONNEL: ClassVar[bool] = True

    note: Personal[Words] | None = None
    """His side, as it stood before it was sealed with his name."""
    report: Count | None = None
    """Where in the ledger the report stands that it answers."""
    by_colleague: ColleaguePersonal[UUID] | None = None
    side: ColleaguePersonal[Words] | None = None


class AnswerTreatment(RecoveryCommand, path="answer-treatment", facts=(TreatmentAnswered,)):
    """Give the colleague's side of a report of poor treatment. One that names him, nobody else answers."""

    note: Personal[Words]

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        recovery, report = self._report(state, at)
        return [
            TreatmentAnswered(
                recovery_id=recovery.recovery_id if recovery else None,
                report=report,
                by_colleague=at.actor.colleague_id,
                side=self.note,
            )
        ]

    def _report(self, state: Relationship, at: Context) -> tuple[Recovery | None, int | None]:
        """Which report it answers, and in which recovery. Raises UnknownRef or NotNamed."""
        if self.recovery_id is not None or self.about is not None:
            recovery = self.found(state, at)
            if not recovery.treatments:
                raise UnknownRef("report of poor treatment", recovery.recovery_id)
            return recovery, _answered(recovery.treatments, at)
        about_him = _about_him(state, at)
        if about_him is not None:
            return about_him
        only = self.found_if_any(state, at)
        if only is not None and only.treatments:
            return only, _answered(only.treatments, at)
        return None, _answered(state.treatments, at) if state.treatments else None


def reports_of(state: Aggregate) -> list[int]:
    """Where all reports of poor treatment stand that this customer's story tells."""
    if not isinstance(state, Relationship):
        return []
    return [*state.treatments, *(position for one in state.recoveries.values() for position in one.treatments)]


def _about_him(state: Relationship, at: Context) -> tuple[Recovery | None, int] | None:
    """The last report that names whoever acts, wherever it belongs."""
    if at.actor.colleague_id is None:
        return None
    reports = [(one, position) for one in state.recoveries.values() for position in one.treatments]
    everywhere = [*reports, *((None, position) for position in state.treatments)]
    his = [report for report in everywhere if at.named(report[1]) == at.actor.colleague_id]
    return max(his, key=lambda report: report[1], default=None)


def _answered(reports: Sequence[int], at: Context) -> int:
    """The last of these that names whoever acts, else the last that names nobody. Raises NotNamed."""
    named = {position: at.named(position) for position in reports}
    his = [position for position, who in named.items() if who is not None and who == at.actor.colleague_id]
    open_to_all = [position for position, who in named.items() if who is None]
    if not his and not open_to_all:
        raise NotNamed
    return (his or open_to_all)[-1]
