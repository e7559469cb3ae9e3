"""Treatment: the last word, and the colleague's side of it."""

import pytest

from domain.clocks import DeadlineSet
from domain.kinds import AMENDS, EVENTS
from domain.milestones import EscalationRaised, RecoveryReopened
from domain.moves.apology import Apologise
from domain.moves.escalation import Escalate
from domain.moves.handling import Assign
from domain.moves.outcome import Resolve
from domain.moves.treatment import AnswerTreatment, ReportTreatment, TreatmentAnswered, TreatmentReported
from tests.support.given import Story, colleague, named_id, refused, story
from tests.support.recoveries import minute
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


def test_nobody_is_called_in_for_a_report_that_names_another_or_nobody():
    for named in ("j.okafor", None):
        owned().when(ReportTreatment(treatment="rude", by_colleague=named), at=2).then(TreatmentReported)
    # Whose case it is not may be named without a word to those above.
    reported().when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=2).then(TreatmentReported)


def test_nobody_more_is_called_in_while_somebody_is_at_it():
    plums = owned().when(Escalate(trigger="legal"), at=2)
    plums.when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=3).then(TreatmentReported)


def test_an_answer_to_no_report_on_this_recovery_is_refused():
    with refused("unknown_ref"):
        reported().when(AnswerTreatment(note="It was not me.", recovery_id=PLUMS), at=1)


def test_an_answer_may_concern_the_relationship_alone():
    (answered,) = reported().when(AnswerTreatment(note="It was not me."), at=1).then(TreatmentAnswered)
    assert answered.recovery_id is None
