"""The feed: stories that are worth telling, without a name."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.kinds import EVENTS
from domain.lessons.stories import STEPS, offset
from domain.lessons.telling import WORDS
from domain.moves.apology import Apologise
from domain.moves.failure import Reassess, ReportFailure
from domain.moves.gesture import MakeGesture
from domain.moves.invitation import InviteBack
from domain.moves.outcome import Close, Reopen, Resolve
from domain.moves.remedy import DeliverRemedy
from domain.moves.treatment import ReportTreatment
from domain.moves.voice import StateSatisfaction
from projections import feed
from projections.feed import FeedItem
from tests.support.given import CUSTOMER, START, Story, named_id, story
from tests.support.ledgers import Book, book


@pytest.fixture
def shelf(module_database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Book]:
    """An empty ledger of the test's own."""
    with book(module_database, tmp_path, f"t{abs(hash(request.node.name))}") as one:
        yield one


def items(shelf: Book, tale: Story) -> list[FeedItem]:
    """What is told of this story."""
    shelf.record(tale.facts)
    shelf.projector().catch_up()
    with shelf.source() as source:
        return feed.page(source).items


def put_right(severity: int = 3) -> Story:
    """A billing mistake, refunded at once."""
    return (
        story()
        .when(
            ReportFailure(
                what="billed_wrong", description="charged twice", severity=severity, recovery_id=named_id("bill")
            )
        )
        .when(Apologise(said="admits", feeling_named=True), at=6)
        .when(DeliverRemedy(remedy_kind="refund", resolves="full"), at=130)
        .when(Resolve(), at=131)
    )


def test_a_grave_failure_put_right_is_told_step_by_step_with_offsets(shelf: Book):
    (item,) = items(shelf, put_right())
    assert (item.kind, item.title) == ("recovery", "Billed wrong, put right by refund")
    assert item.codes == {"what": "billed_wrong", "failure_kind": "core", "severity": 3}
    steps = [(step["what"], step["after"], step["by"]) for step in item.steps]
    assert steps == [
        ("apology.made", "+6 min", "front"),
        ("remedy.promised", "+2 h", "front"),
        ("remedy.delivered", "+2 h", "front"),
        ("recovery.resolved", "+2 h", "front"),
    ]
    assert item.steps[0]["details"]["feeling_named"] is True
    assert item.id not in (named_id("bill"), CUSTOMER)


def test_a_mild_one_is_told_only_when_the_customer_was_content_or_it_failed_before(shelf: Book):
    assert items(shelf, put_right(severity=2)) == []


def test_a_mild_one_with_a_content_customer_is_told(shelf: Book):
    tale = put_right(severity=1).when(StateSatisfaction(instrument="CSAT", value=4, about="recovery"), at=999)
    assert len(items(shelf, tale)) == 1


def test_a_mild_one_that_failed_again_is_told_once_it_is_put_right(shelf: Book):
    tale = put_right(severity=1).when(Reopen(cause="recurrence"), at=200)
    tale = tale.when(DeliverRemedy(remedy_kind="refund"), at=300).when(Apologise(said="admits"), at=301)
    assert len(items(shelf, tale.when(Resolve(), at=302))) == 1


def test_what_is_open_again_is_not_told(shelf: Book):
    assert items(shelf, put_right().when(Reopen(cause="recurrence"), at=200)) == []


@pytest.mark.parametrize("outcome", ["lost", "duplicate", "withdrawn"])
def test_what_had_no_good_end_is_not_told(shelf: Book, outcome: str):
    assert items(shelf, put_right().when(Close.model_validate({"outcome": outcome}), at=200)) == []


def test_the_severity_as_we_see_it_now_decides(shelf: Book):
    tale = put_right(severity=4).when(Reassess(severity=1, reason="it was nothing"), at=140)
    assert items(shelf, tale) == []


def test_a_gesture_is_a_story_of_its_own(shelf: Book):
    (item,) = items(shelf, story().when(MakeGesture(kind="help_beyond_duty", degree=2)))
    assert (item.kind, item.title) == ("gesture", "A gesture: help beyond duty")
    assert item.codes["degree"] == 2


def test_poor_treatment_is_nobodys_story(shelf: Book):
    tale = put_right().when(ReportTreatment(treatment="rude", by_colleague="giannis"), at=140)
    tale = tale.when(Apologise(said="admits"), at=150).when(Resolve(), at=151)
    (item,) = items(shelf, tale)
    assert not [step for step in item.steps if step["what"].startswith("treatment")]


def test_no_story_holds_a_date_or_a_name(shelf: Book):
    (item,) = items(shelf, put_right())
    assert "2026" not in item.model_dump_json()
    assert "charged twice" not in item.model_dump_json()


def test_pages_follow_each_other_the_newest_first_or_since_a_position(shelf: Book):
    tale = story()
    for n in range(5):
        tale.when(MakeGesture(kind="surprise", gesture_id=named_id(f"gesture {n}")), at=n)
    newest = items(shelf, tale)
    with shelf.source() as source:
        first = feed.page(source, limit=3)
        second = feed.page(source, before=first.next, limit=3)
        since = feed.page(source, after=0, limit=3)
        later = feed.page(source, after=since.next, limit=3)
    assert (second.next, later.next) == (None, None)
    assert [item.position for item in newest] == [6, 5, 4, 3, 2]
    assert first.items + second.items == newest
    assert since.items + later.items == newest[::-1]


def test_two_stories_of_one_position_are_never_cut_apart(shelf: Book):
    items(shelf, put_right().when(MakeGesture(kind="extra_care", recovery_id=named_id("bill")), at=200))
    with shelf.source() as source:
        page = feed.page(source, limit=1)
    assert {item.kind for item in page.items} == {"recovery", "gesture"}
    assert page.next is None


def test_an_invitation_for_anything_leaves_the_step_what_it_is(shelf: Book):
    invited = put_right().when(InviteBack(what="recovery.resolved", valid_until=START + timedelta(days=9)), at=140)
    (item,) = items(shelf, invited)
    assert item.title == "Billed wrong, put right by refund"
    assert set(item.steps[-1]) == {"what", "after", "by", "details"}
    assert (item.steps[-1]["what"], item.steps[-1]["details"]) == (
        "return_invitation.issued",
        {"what": "recovery.resolved"},
    )


def test_a_story_reads_in_sentences_and_its_title_tells_the_end(shelf: Book):
    tale = put_right().when(StateSatisfaction(instrument="CSAT", value=5, about="recovery"), at=300)
    (item,) = items(shelf, tale)
    assert item.title == "Billed wrong, put right by refund, customer said 5 of 5"
    assert item.text.splitlines() == [
        "+6 min: said sorry, admitting the fault, naming the feeling (front)",
        "+2 h: promised a remedy, refund (front)",
        "+2 h: delivered the remedy, all of it was put right (front)",
        "+2 h: put right, by refund, at the first contact (front)",
        "+5 h: the customer said 5 of 5 (front)",
    ]


def test_a_gesture_says_more_than_its_title(shelf: Book):
    (item,) = items(shelf, story().when(MakeGesture(kind="prevention", degree=2, avoided_contacts=3)))
    assert item.text == "A considerable kindness, prevention, unasked, it spared the customer 3 contacts."


def test_how_a_customer_was_treated_is_no_cause_that_is_told(shelf: Book):
    tale = put_right().when(ReportTreatment(treatment="rude"), at=140)
    (item,) = items(shelf, tale.when(Apologise(said="admits"), at=150).when(Resolve(), at=151))
    assert "recovery.reopened" not in [step["what"] for step in item.steps]
    assert "treatment" not in item.model_dump_json()


@pytest.mark.parametrize("again", [{"what": "treated_badly"}, {"what": "late", "failure_kind": "interactional"}])
def test_a_failure_of_treatment_itself_is_not_told(shelf: Book, again: dict[str, str]):
    tale = story().when(ReportFailure(**again, description="rude", severity=4, recovery_id=named_id("bill")))
    tale = tale.when(Apologise(said="admits"), at=6).when(DeliverRemedy(remedy_kind="gesture"), at=7)
    assert items(shelf, tale.when(Resolve(), at=8)) == []


def test_what_turns_out_to_be_a_matter_of_treatment_is_told_no_more(shelf: Book):
    tale = put_right().when(Reassess(failure_kind="interactional", reason="it was the tone"), at=140)
    assert items(shelf, tale) == []


def test_every_step_that_is_told_has_its_words():
    assert set(WORDS) == set(STEPS)
    for topic, (_, phrases) in WORDS.items():
        assert set(phrases) <= set(STEPS[topic])


def test_every_step_that_is_told_is_a_kind_with_these_fields():
    for topic, names in STEPS.items():
        fields = EVENTS[topic].model_fields
        assert set(names) <= set(fields)
        assert not set(names) & (EVENTS[topic].PERSONAL | EVENTS[topic].COLLEAGUE)


@pytest.mark.parametrize(
    ("minutes", "said"), [(-5, "+0 min"), (6, "+6 min"), (119, "+119 min"), (120, "+2 h"), (2880, "+2 d")]
)
def test_offsets_read_as_people_say_them(minutes: int, said: str):
    assert offset(timedelta(minutes=minutes)) == said
