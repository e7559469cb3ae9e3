"""Treatment: the last word, and the colleague's side of it."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import hypothesis
import pytest
from hypothesis import strategies as st

from domain.clocks import DeadlineSet
from domain.errors import Refused
from domain.kinds import AMENDS, EVENTS
from domain.milestones import EscalationRaised, RecoveryReopened
from domain.moves.apology import Apologise
from domain.moves.escalation import Escalate, SettleEscalation
from domain.moves.handling import Assign, HandOff
from domain.moves.outcome import Close, Reopen, Resolve
from domain.moves.remedy import DeliverRemedy
from domain.moves.treatment import AnswerTreatment, ReportTreatment, TreatmentAnswered, TreatmentReported
from domain.relationship import RecoveryCommand
from tests.support.advised import advised
from tests.support.given import Story, colleague, named_id, refused, story
from tests.support.recoveries import minute
from tests.support.soak import examples
from tests.support.stories import PLUMS, only, report, reported, resolved


def test_a_last_word_after_the_solution_opens_the_recovery_again():
    plums = resolved().when(ReportTreatment(treatment="last_word", degree=2), at=20)
    harm, again = plums.last[:2]
    assert isinstance(harm, TreatmentReported)
    assert isinstance(again, RecoveryReopened)
    assert (harm.after_resolution, harm.degree, again.cause) == (True, 2, "treatment")
    assert only(plums).deviations == 1


def test_after_a_last_word_an_apology_alone_suffices():
    plums = resolved().when(ReportTreatment(treatment="last_word"), at=20)
    with refused("nothing_done", missing=["apology"]):
        plums.when(Resolve(), at=21)
    plums.when(Apologise(said="admits", feeling_named=True), at=22).when(Resolve(), at=23)
    assert only(plums).phase == "resolved"


def test_poor_treatment_on_an_open_recovery_reopens_nothing():
    (harm,) = reported().when(ReportTreatment(treatment="blaming"), at=1).then(TreatmentReported)
    assert (harm.after_resolution, harm.recovery_id) == (False, PLUMS)


def test_whether_it_came_after_the_resolution_is_not_asked():
    with pytest.raises(ValueError, match="after_resolution"):
        ReportTreatment.model_validate({"treatment": "rude", "after_resolution": True})


def test_the_colleague_is_stored_as_a_pseudonym_under_his_own_key():
    said = ReportTreatment(treatment="rude", by_colleague="m.vance", by_role_class="front")
    (harm,) = reported().when(said, at=1).then(TreatmentReported)
    assert harm.by_colleague == named_id("colleague:m.vance")
    assert {"by_colleague"} == EVENTS["treatment.reported"].COLLEAGUE


def test_the_state_keeps_where_to_read_it_and_nobodys_name():
    plums = reported().when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=1)
    assert only(plums).treatments == (plums.state.position,)
    assert str(named_id("colleague:m.vance")) not in repr(plums.state)


def test_who_told_us_is_called_from():
    said = ReportTreatment.model_validate({"treatment": "rude", "from": "witness"})
    (harm,) = reported().when(said, at=1).then(TreatmentReported)
    assert harm.from_ == "witness"
    assert harm.model_dump()["from"] == "witness"


def test_treatment_before_everybody_makes_the_recovery_public():
    plums = reported().when(ReportTreatment(treatment="rude", witnessed="public"), at=1)
    assert only(plums).public


def test_with_no_open_recovery_it_belongs_to_the_relationship():
    both = reported().when(report("pears"))
    (harm,) = both.when(ReportTreatment(treatment="dismissal")).then(TreatmentReported)
    assert harm.recovery_id is None


def test_treatment_of_a_customer_nobody_knows_is_refused():
    with refused("unknown_ref"):
        story().when(ReportTreatment(treatment="rude"))


def test_the_colleague_gives_his_side():
    plums = reported().when(ReportTreatment(treatment="rude"), at=1)
    (answered,) = plums.when(AnswerTreatment(note="I was alone with twelve people."), at=2).then(TreatmentAnswered)
    assert (answered.side, answered.recovery_id, answered.note) == ("I was alone with twelve people.", PLUMS, None)


def test_his_side_is_sealed_with_his_name_and_says_which_report_it_answers():
    plums = reported().when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=1)
    report = plums.state.position
    said = AnswerTreatment(note="I was alone.", recovery_id=PLUMS)
    (answered,) = plums.when(said, at=2, actor=colleague("m.vance")).then(TreatmentAnswered)
    assert (answered.by_colleague, answered.report) == (named_id("colleague:m.vance"), report)
    assert {"by_colleague", "side"} == TreatmentAnswered.COLLEAGUE


@pytest.mark.parametrize("somebody", [colleague("j.okafor"), AMENDS])
@pytest.mark.parametrize("where", [{"recovery_id": PLUMS}, {}])
def test_nobody_answers_for_the_colleague_whom_a_report_names(somebody, where):
    plums = reported().when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=1)
    with refused("not_named"):
        plums.when(AnswerTreatment(note="He was tired.", **where), at=2, actor=somebody)


def test_of_several_reports_he_answers_his_own_and_whoever_else_the_one_that_names_nobody():
    plums = reported().when(ReportTreatment(treatment="rude"), at=1)
    nobodys = plums.state.position
    plums.when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=2)
    his = plums.state.position
    plums.when(ReportTreatment(treatment="blaming", by_colleague="a.third"), at=3)
    for who, answers in [("m.vance", his), ("j.okafor", nobodys)]:
        said = AnswerTreatment(note="It was a bad day.", recovery_id=PLUMS)
        (answered,) = plums.when(said, at=4, actor=colleague(who)).then(TreatmentAnswered)
        assert answered.report == answers


def test_a_report_about_him_is_found_wherever_it_belongs():
    both = reported().when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=1)
    his = both.state.position
    both.when(report("pears"), at=2).when(ReportTreatment(treatment="dismissal", by_colleague="a.third"), at=3)
    (answered,) = both.when(AnswerTreatment(note="I am sorry."), at=4, actor=colleague("m.vance")).last
    assert (answered.recovery_id, answered.report) == (PLUMS, his)
    with refused("not_named"):
        both.when(AnswerTreatment(note="Who else?"), at=5, actor=colleague("j.okafor"))


def test_who_reports_himself_is_named_by_that():
    said = ReportTreatment.model_validate({"treatment": "rude", "from": "self"})
    (harm,) = reported().when(said, at=1, actor=colleague("m.vance")).then(TreatmentReported)
    assert harm.by_colleague == named_id("colleague:m.vance")


def owned(by: str = "m.vance") -> Story:
    """The recovery about the plums is this colleague's."""
    return reported().when(Assign(owner=by), at=1)


@pytest.mark.parametrize("told", [{}, {"from": "self"}], ids=["by somebody else", "by himself"])
def test_i_21_whose_case_it_is_and_is_named_in_it_does_not_keep_it_unseen(told):
    named = {"treatment": "rude"} | (told or {"by_colleague": "m.vance"})
    plums = owned().when(ReportTreatment.model_validate(named), at=2, actor=colleague("m.vance"))
    raised = plums.then(TreatmentReported, EscalationRaised)[1]
    assert (raised.trigger, raised.level, raised.settle_by) == ("treatment", 1, minute(2 + 4 * 60))
    assert only(plums).owner == named_id("colleague:m.vance")


def test_i_21_what_is_raised_because_of_it_names_nobody():
    plums = owned().when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=2)
    assert str(named_id("colleague:m.vance")) not in plums.last[1].model_dump_json()


def test_i_21_it_is_raised_on_what_it_opens_again_too():
    plums = resolved().when(Assign(owner="m.vance"), at=11)
    plums.when(ReportTreatment(treatment="last_word", by_colleague="m.vance"), at=20)
    assert [type(one) for one in plums.last if not isinstance(one, DeadlineSet)] == [
        TreatmentReported,
        RecoveryReopened,
        EscalationRaised,
    ]


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("named", ["m.vance", "j.okafor"], ids=["whose case it is", "another"])
def test_i_21_somebody_is_called_in_whoever_is_named_where_the_case_is_somebodys(named: str, degree: int):
    told = ReportTreatment(treatment="rude", degree=degree, by_colleague=named)
    owned().when(told, at=2).then(TreatmentReported, EscalationRaised)


def test_nobody_is_called_in_for_a_report_that_names_nobody_nor_where_the_case_is_nobodys():
    owned().when(ReportTreatment(treatment="rude", degree=2), at=2).then(TreatmentReported)
    reported().when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=2).then(TreatmentReported)


MOVES: Final[list[RecoveryCommand]] = [
    Escalate(trigger="legal"),
    Escalate(trigger="media", level=3),
    SettleEscalation(how="She called him."),
    HandOff(to="a.third"),
    HandOff(team="kitchen"),
    DeliverRemedy(remedy_kind="replacement", resolves="full"),
    Apologise(said="admits"),
    Resolve(),
    Close(outcome="withdrawn"),
    Reopen(cause="recurrence"),
    ReportTreatment(treatment="blaming", by_colleague="a.third", recovery_id=PLUMS),
    ReportTreatment(treatment="blaming", recovery_id=PLUMS),
]
ANY: Final = st.lists(st.sampled_from(MOVES), max_size=6)
PUT_RIGHT: Final = [Apologise(said="admits"), DeliverRemedy(remedy_kind="refund"), Resolve()]


def named_among(
    named: str, degree: int, himself: bool, before: Sequence[RecoveryCommand], after: Sequence[RecoveryCommand]
) -> Story:
    """A case of m.vance's in which this colleague is named, by himself or by the customer, among other moves."""
    given = {"treatment": "rude", "degree": degree, "recovery_id": PLUMS}
    said = {"from": "self"} if himself else {"by_colleague": named}
    harm = ReportTreatment.model_validate(given | said)
    plums, at = owned(), 2
    for move in (*before, harm, *after):
        with suppress(Refused):
            plums.when(move, at=at, actor=colleague(named) if move is harm and himself else None)
        at += 1
    return plums


def for_all_to_see(plums: Story) -> list[tuple[str, dict[str, Any]]]:
    """The events as whoever lacks `personnel` may know them: that somebody is named, and not who."""
    return [(one.event.TOPIC, one.event.model_dump(exclude=set(one.event.COLLEAGUE))) for one in plums.facts]


@examples(150, many=2_000)
@hypothesis.given(degree=st.sampled_from([1, 2, 3]), himself=st.booleans(), before=ANY, after=ANY)
@hypothesis.example(degree=1, himself=False, before=[], after=[])
@hypothesis.example(degree=2, himself=True, before=[Escalate(trigger="legal")], after=[])
@hypothesis.example(degree=1, himself=False, before=PUT_RIGHT, after=[])
def test_i_21_neither_events_nor_advice_tell_whether_a_report_names_whose_case_it_is_or_another(
    degree: int, himself: bool, before: list[RecoveryCommand], after: list[RecoveryCommand]
):
    his, anothers = (named_among(who, degree, himself, before, after) for who in ("m.vance", "j.okafor"))
    assert for_all_to_see(his) == for_all_to_see(anothers)
    assert advised(his, at=30) == advised(anothers, at=30)


def test_nobody_more_is_called_in_while_somebody_is_at_it():
    plums = owned().when(Escalate(trigger="legal"), at=2)
    plums.when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=3).then(TreatmentReported)


def test_an_answer_to_no_report_on_this_recovery_is_refused():
    with refused("unknown_ref"):
        reported().when(AnswerTreatment(note="It was not me.", recovery_id=PLUMS), at=1)


def test_an_answer_may_concern_the_relationship_alone():
    (answered,) = reported().when(AnswerTreatment(note="It was not me."), at=1).then(TreatmentAnswered)
    assert answered.recovery_id is None
