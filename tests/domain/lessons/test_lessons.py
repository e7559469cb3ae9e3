"""Lessons: drafted by anybody, approved by another than whom it is about, told to everyone, looked at again."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from domain.kinds import AMENDS
from domain.lessons.commands import (
    ApproveLesson,
    DraftLesson,
    PublishLesson,
    ReconfirmLesson,
    RetireLesson,
    ReviseLesson,
    a_year_after,
)
from domain.lessons.events import (
    LessonApproved,
    LessonDrafted,
    LessonPublished,
    LessonReconfirmed,
    LessonRetired,
    LessonRevised,
)
from domain.moves.handling import Assign
from domain.moves.outcome import Close
from domain.moves.relationship import PersonalDataErased
from domain.moves.treatment import ReportTreatment
from tests.support.careers import OFFICE, day, known_as
from tests.support.given import CUSTOMER, colleague, named_id, refused
from tests.support.lessons import NOTICE, Writing, draft, published
from tests.support.stories import PLUMS, resolved

FROM_PLUMS = {"customer_id": CUSTOMER, "recovery_id": PLUMS}


def test_it_is_drafted_approved_and_published_in_turn():
    made = draft()
    [drafted] = made.then(LessonDrafted)
    assert (drafted.kind, drafted.title, drafted.text) == (NOTICE["kind"], NOTICE["title"], NOTICE["text"])
    [approved] = made.when(ApproveLesson()).then(LessonApproved)
    assert (approved.edition, approved.by) == (1, known_as("lead"))
    [told] = made.when(PublishLesson()).then(LessonPublished)
    assert told.version == 1


def test_s5_19_it_is_for_everyone_and_for_a_year_unless_somebody_says_otherwise():
    [told] = published(kind="lesson", title="Ask first", text="Ask what he wants.").then(LessonPublished)
    assert told.audience.everyone
    assert told.expires_at == datetime.fromisoformat("2027-03-02T09:00:00+00:00")


def test_a_year_from_the_29th_of_february_is_the_28th():
    assert a_year_after(datetime.fromisoformat("2028-02-29T09:00:00+00:00")).isoformat()[:10] == "2029-02-28"


@pytest.mark.parametrize(("kind", "must"), [("notice", True), ("lesson", False), ("case_study", False)])
def test_s5_20_a_notice_must_be_acknowledged_and_others_need_not(kind: str, must: bool):
    [told] = published(**NOTICE | {"kind": kind}).then(LessonPublished)
    assert told.must_ack is must


def test_whether_it_must_be_acknowledged_can_be_said_and_stays_said():
    made = published(telling=PublishLesson(must_ack=False), **NOTICE).when(ReviseLesson(title="Another title"))
    [told] = made.when(ApproveLesson()).when(PublishLesson()).then(LessonPublished)
    assert (told.version, told.must_ack) == (2, False)


def test_nothing_is_published_that_nobody_approved():
    with refused("not_approved", edition=1):
        draft().when(PublishLesson())


def test_a_new_wording_needs_a_new_approval_and_becomes_a_new_version():
    made = published()
    [revised] = made.when(ReviseLesson(text="Below 40.00.")).then(LessonRevised)
    assert (revised.edition, revised.title) == (2, None)
    with refused("not_approved", edition=2):
        made.when(PublishLesson())
    [told] = made.when(ApproveLesson()).when(PublishLesson()).then(LessonPublished)
    assert told.version == 2


def test_the_same_wording_is_published_once():
    with refused("already_exists"):
        published().when(PublishLesson())


def test_the_same_wording_is_approved_once():
    with refused("already_exists"):
        published().when(ApproveLesson())


def test_whoever_approves_says_who_he_is():
    with refused("invalid_value", field="by"):
        draft().when(ApproveLesson(), actor=OFFICE)


PRAISE = {"kind": "recognition", "title": "A wiper", "text": "{name} changed it.", "colleague_id": "mechanic"}


def test_s5_13_nobody_approves_what_praises_him():
    with refused("own_lesson"):
        draft(**PRAISE).when(ApproveLesson(), actor=colleague("mechanic"))
    draft(**PRAISE).when(ApproveLesson(), actor=colleague("lead")).then(LessonApproved)


@pytest.mark.parametrize("kind", ["recognition", "experience"])
def test_nobody_approves_his_own_recognition_or_experience(kind: str):
    made = draft(by=colleague("author"), kind=kind, title="My own", text="It happened to me.")
    with refused("own_lesson"):
        made.when(ApproveLesson(), actor=colleague("author"))


def test_whoever_leads_may_approve_the_notice_that_he_wrote():
    draft(by=colleague("lead"), **NOTICE).when(ApproveLesson(), actor=colleague("lead")).then(LessonApproved)


def test_s2_2_nobody_approves_what_is_for_him_alone():
    made = draft(**NOTICE | {"audience": {"colleague_id": "barista"}})
    with refused("own_lesson"):
        made.when(ApproveLesson(), actor=colleague("barista"))


def test_the_owner_of_a_recovery_does_not_approve_what_is_learned_from_it():
    told = resolved().when(Assign(owner="lead"), at=11)
    with refused("own_lesson"):
        draft(told=told, kind="case_study", from_recovery=FROM_PLUMS).when(ApproveLesson())


def test_whoever_is_named_in_a_report_of_poor_treatment_does_not_either():
    told = resolved().when(ReportTreatment(treatment="last_word", by_colleague="barista"), at=11)
    made = draft(told=told, kind="case_study", from_recovery=FROM_PLUMS)
    with refused("own_case"):
        made.when(ApproveLesson(), actor=colleague("barista"))
    made.when(ApproveLesson(), actor=colleague("lead")).then(LessonApproved)


def test_s1_21_a_case_study_is_drawn_up_from_a_recovery_by_the_program_itself():
    made = Writing(told=resolved()).when(
        DraftLesson(kind="case_study", from_recovery=FROM_PLUMS, trigger=named_id("event 4")), actor=AMENDS
    )
    [drafted] = made.then(LessonDrafted)
    assert drafted.title == "Wrong or broken, and not put right"
    assert drafted.links() == (("/lesson", f"case_study:{named_id('event 4')}"),)
    assert made.state.author is None


@pytest.mark.parametrize("outcome", ["lost", "withdrawn"])
def test_what_is_learned_from_a_lost_customer_is_for_the_weekly_digest(outcome: str):
    lost = resolved().when(Close(outcome=outcome), at=11)
    made = draft(told=lost, kind="case_study", from_recovery=FROM_PLUMS).when(ApproveLesson())
    [told] = made.when(PublishLesson()).then(LessonPublished)
    assert told.digest_only is (outcome == "lost")


def test_words_of_his_own_take_the_place_of_those_drawn_up():
    [drafted] = draft(told=resolved(), kind="lesson", title="Hard plums", from_recovery=FROM_PLUMS).then(
        LessonDrafted
    )
    assert drafted.title == "Hard plums"
    assert "said sorry" in drafted.text


@pytest.mark.parametrize(
    ("customer", "recovery"), [(named_id("nobody"), PLUMS), (CUSTOMER, named_id("another recovery"))]
)
def test_nothing_is_learned_from_a_recovery_that_is_not_there(customer: Any, recovery: Any):
    with refused("unknown_ref"):
        draft(told=resolved(), kind="case_study", from_recovery={"customer_id": customer, "recovery_id": recovery})


def test_nothing_is_learned_from_a_customer_who_was_forgotten():
    with refused("erased"):
        draft(
            told=resolved().given(PersonalDataErased(request="r-1")), kind="case_study", from_recovery=FROM_PLUMS
        )


@pytest.mark.parametrize("said", [{"title": "Only this"}, {"text": "Only this."}, {}])
def test_a_draft_says_something(said: dict[str, str]):
    with refused("invalid_value"):
        draft(kind="lesson", **said)


def test_only_a_recognition_tells_of_one_colleague():
    with refused("invalid_value", field="colleague_id"):
        draft(**PRAISE | {"kind": "lesson"})


@pytest.mark.parametrize(
    "text",
    [
        "Ask maria@example.com about it.",
        "Call +30 210 555 0199 first.",
        "Card 4929123456789012 was charged twice.",
        " ",
        "A bell: \x07",
    ],
)
def test_what_names_somebody_is_not_written_down(text: str):
    with pytest.raises(ValidationError):
        DraftLesson(kind="lesson", title="A lesson", text=text)


@pytest.mark.parametrize(
    "text", ["Since 2026-03-02 below 5,475.00 a year.", "Directive 2011/83/EU.", "Ούτε μία λέξη."]
)
def test_dates_sums_and_laws_name_nobody(text: str):
    assert DraftLesson(kind="lesson", title="A lesson", text=text).text == text


def test_an_audience_can_be_changed_when_it_is_published():
    [told] = published(telling=PublishLesson(audience={"role_classes": ["back"]}), **NOTICE).then(LessonPublished)
    assert told.audience.role_classes == ("back",)
    assert told.audience.holds(None, "back", None, None)
    assert not told.audience.holds(None, "front", "desk", "waiter")


@pytest.mark.parametrize(
    ("audience", "at_publication"), [({}, {"colleague_id": "m"}), ({"colleague_id": "m"}, {})]
)
def test_s2_2_whether_it_is_for_one_alone_is_said_with_the_draft(audience: Any, at_publication: Any):
    made = draft(**NOTICE | {"audience": audience}).when(ApproveLesson())
    with refused("invalid_value", field="audience"):
        made.when(PublishLesson(audience=at_publication))


def test_what_is_for_one_is_for_nobody_else():
    with refused("invalid_value", field="audience"):
        draft(**NOTICE | {"audience": {"colleague_id": "m", "teams": ["desk"]}})


def test_every_step_of_what_is_for_one_says_so():
    made = published(**NOTICE | {"audience": {"colleague_id": "barista"}})
    assert {fact.event.only_for for fact in made.facts} == {known_as("barista")}
    assert all(fact.event.of_one for fact in made.facts)


def test_it_is_found_to_hold_still_for_another_year_or_for_as_long_as_is_said():
    made = published()
    [still] = made.when(ReconfirmLesson(), at=400).then(LessonReconfirmed)
    assert (still.version, still.expires_at) == (1, a_year_after(day(400)))
    [until] = made.when(ReconfirmLesson(expires_at=day(500)), at=410).then(LessonReconfirmed)
    assert until.expires_at == day(500)


def test_it_does_not_end_before_it_begins():
    with refused("invalid_value", field="expires_at"):
        published(telling=PublishLesson(expires_at=day(-1)), **NOTICE)


def test_what_was_never_told_cannot_hold_still():
    with refused("unknown_ref"):
        draft().when(ReconfirmLesson())


@pytest.mark.parametrize(
    "command", [ApproveLesson(), PublishLesson(), ReviseLesson(title="More"), ReconfirmLesson(), RetireLesson()]
)
def test_what_is_retired_stays_retired(command: Any):
    made = published()
    made.when(RetireLesson()).then(LessonRetired)
    with refused("already_ended"):
        made.when(command)


def test_a_revision_says_what_changes():
    with refused("invalid_value"):
        published().when(ReviseLesson())
