"""Lessons as they are read: how far each has come, who is told, who has read it, front and back."""

from collections.abc import Iterable
from typing import Any

import pytest

from domain.colleagues.naming import SetNamingConsent
from domain.colleagues.post import ChangeRole, Leave
from domain.lessons.commands import (
    ApproveLesson,
    PublishLesson,
    ReconfirmLesson,
    RetireLesson,
    ReviseLesson,
)
from domain.lessons.receipts import LessonAcknowledged, LessonRead
from projections import knowledge, lessons
from projections.base import fold
from projections.lesson_rows import Lessons, Receipts
from projections.lessons import Coverage, LessonDetail
from projections.readers import Reader, reader_of
from tests.support.careers import Career, day, joined, known_as
from tests.support.given import named_id
from tests.support.ledgers import Book
from tests.support.lessons import LATER, NEEDED, NOTICE, draft, published, told, told_to
from tests.support.stories import reported

LESSON = named_id("lesson")


def team_of(name: str, n: int, **said: Any) -> list[Career]:
    """So many colleagues of one team."""
    return [joined(f"{name} {nth}", team=name, **said) for nth in range(n)]


def read(careers: Iterable[Career], version: int = 1, *, at: float = 1) -> None:
    for career in careers:
        career.given(LessonRead(lesson_id=LESSON, version=version), at=at)


def acknowledged(careers: Iterable[Career], version: int = 1, *, at: float = 2) -> None:
    for career in careers:
        career.given(LessonAcknowledged(lesson_id=LESSON, version=version), at=at)


def found(shelf: Book, as_of: Any = LATER, **more: Any) -> LessonDetail:
    with shelf.source() as source:
        one = lessons.found(source, LESSON, as_of, **more)
    assert one is not None
    return one


def coverage(shelf: Book, as_of: Any = LATER) -> Coverage:
    reached = found(shelf, as_of).coverage
    assert reached is not None
    return reached


def test_it_says_how_far_it_has_come(shelf: Book):
    made = draft(at=1)
    states = [("draft", 0, 0)]
    for at, command in ((2, ApproveLesson()), (3, PublishLesson()), (4, ReviseLesson(text="Another one."))):
        made.when(command, at=at)
    states += [("approved", 1, 0), ("published", 1, 1), ("published", 1, 1)]
    for version, state in enumerate(states, start=1):
        rows = fold(Lessons(), made.facts[:version])
        [row] = rows.values()
        assert (lessons.state_of(row, LATER), row["approved"], row["published"]) == state
    one = found(told(shelf, made))
    assert (one.state, one.edition, one.published, one.text) == ("published", 2, 1, "Another one.")
    assert told_to(shelf, Reader()) == [NOTICE["title"]]


def test_the_words_that_are_told_are_those_that_were_published(shelf: Book):
    made = published().when(ReviseLesson(text="Another one."), at=1)
    with told(shelf, made).source() as source:
        [item] = knowledge.page(source, Reader(), LATER).items
    assert item.text == NOTICE["text"]


def test_a_draft_is_told_to_nobody(shelf: Book):
    assert told_to(told(shelf, draft(), draft("approved").when(ApproveLesson())), Reader()) == []


def test_expired_ones_leave_the_feed_and_wait_to_be_reconfirmed(shelf: Book):
    told(shelf, published(telling=PublishLesson(expires_at=day(10)), **NOTICE))
    assert told_to(shelf, Reader(), day(9)) == [NOTICE["title"]]
    assert told_to(shelf, Reader(), day(10)) == []
    with shelf.source() as source:
        assert lessons.listed(source, day(9), state="to_reconfirm").data == []
        assert [one.lesson_id for one in lessons.listed(source, day(10), state="to_reconfirm").data] == [LESSON]


def test_a_reconfirmed_one_is_told_again_and_need_not_be_read_again(shelf: Book):
    made = published(telling=PublishLesson(expires_at=day(10)), **NOTICE).when(ReconfirmLesson(), at=12)
    mechanic = joined("mechanic")
    acknowledged([mechanic])
    told(shelf, made, mechanic)
    with shelf.source() as source:
        reader = reader_of(source, known_as("mechanic"), LATER)
        [item] = knowledge.page(source, reader, LATER).items
        assert (item.version, item.read, item.acknowledged) == (1, True, True)
        assert knowledge.page(source, reader, LATER, after=item.position - 1).items == [item]


def test_a_retired_one_is_told_no_longer(shelf: Book):
    told(shelf, published().when(RetireLesson(), at=1))
    assert told_to(shelf, Reader()) == []
    assert found(shelf).state == "retired"


@pytest.mark.parametrize(
    ("audience", "told_so"),
    [
        ({}, ["nobody", "desk", "garage", "mechanic", "left"]),
        ({"role_classes": ["back"]}, ["garage", "mechanic"]),
        ({"teams": ["desk"], "roles": ["mechanic"]}, ["desk", "mechanic"]),
        ({"colleague_id": "mechanic"}, ["mechanic"]),
    ],
)
def test_s5_19_it_is_told_to_its_audience_which_is_everyone_unless_somebody_says_otherwise(
    shelf: Book, audience: dict[str, Any], told_so: list[str]
):
    mechanic = joined("mechanic", role="waiter", team="desk").when(
        ChangeRole(role="mechanic", role_class="back", team="garage"), at=1
    )
    told(
        shelf,
        published(**NOTICE | {"audience": audience}),
        mechanic,
        joined("left", team="desk").when(Leave(), at=1),
    )
    with shelf.source() as source:
        readers = {
            "nobody": Reader(),
            "desk": Reader(team="desk"),
            "garage": Reader(role_class="back"),
            "mechanic": reader_of(source, known_as("mechanic"), LATER),
            "left": reader_of(source, known_as("left"), LATER),
        }
    assert [name for name, reader in readers.items() if told_to(shelf, reader)] == told_so


def test_s1_20_coverage_is_told_by_role_class_back_office_included(shelf: Book):
    front, back = team_of("desk", 6), team_of("garage", 5, role_class="back")
    read(front[:4])
    acknowledged([*front[:3], back[0]])
    reached = coverage(told(shelf, published(), *front, *back))
    assert (reached.colleagues, reached.unread) == (11, 6)
    assert (reached.read.hits, reached.acknowledged.hits) == (5, 4)
    shown = [(one.role_class, one.read.hits, one.acknowledged.hits, one.read.n) for one in reached.by_class]
    assert shown == [("front", 4, 3, 6), ("back", 1, 1, 5)]
    assert (reached.by_class[1].read.share, reached.by_class[1].read.low) == (0.2, 0.0362)


def test_s5_19_a_new_item_is_unread_by_all_who_work_here(shelf: Book):
    team = team_of("desk", 7)
    team[6].when(Leave(), at=1)
    reached = coverage(told(shelf, published(), *team))
    assert (reached.unread, reached.colleagues) == (6, 6)


def test_s5_20_a_new_version_resets_the_receipts(shelf: Book):
    team = team_of("desk", 5)
    acknowledged(team)
    made = published().when(ReviseLesson(text="Another one."), at=3)
    made.when(ApproveLesson(), at=3).when(PublishLesson(), at=3)
    read(team[:1], version=2, at=4)
    reached = coverage(told(shelf, made, *team))
    assert (reached.version, reached.read.hits, reached.acknowledged.hits, reached.unread) == (2, 1, 0, 4)


def test_role_classes_of_fewer_than_five_are_hidden_and_cannot_be_worked_out(shelf: Book):
    people = [*team_of("desk", 6), *team_of("garage", 4, role_class="back")]
    reached = coverage(told(shelf, published(), *people))
    # The six of the front would tell of the other four.
    assert (reached.by_class, reached.hidden_classes, reached.colleagues) == ([], 2, 10)


def test_of_fewer_than_five_nothing_is_told(shelf: Book):
    reached = coverage(told(shelf, published(), *team_of("desk", 4)))
    assert (reached.colleagues, reached.unread, reached.read, reached.by_class) == (None, None, None, [])


def test_only_those_count_whom_it_is_for(shelf: Book):
    front, back = team_of("desk", 6), team_of("garage", 5, role_class="back")
    read(front)
    made = published(telling=PublishLesson(audience={"role_classes": ["back"]}), **NOTICE)
    reached = coverage(told(shelf, made, *front, *back))
    assert (reached.colleagues, reached.read.hits) == (5, 0)


def test_coverage_is_told_as_of_a_moment(shelf: Book):
    team = team_of("desk", 5)
    read(team, at=5)
    shelf = told(shelf, published(), *team)
    assert coverage(shelf, day(4)).read.hits == 0
    assert coverage(shelf, day(6)).read.hits == 5


def test_what_is_for_one_is_listed_for_who_may_see_what_is_about_colleagues(shelf: Book):
    told(shelf, published(**NOTICE | {"audience": {"colleague_id": "barista"}}))
    with shelf.source() as source:
        assert lessons.listed(source, LATER).data == []
        assert lessons.found(source, LESSON, LATER) is None
        [one] = lessons.listed(source, LATER, private=True).data
    assert (one.lesson_id, one.audience.colleague_id) == (LESSON, known_as("barista"))
    assert found(shelf, private=True).coverage.colleagues is None


def test_lessons_are_listed_page_by_page_and_by_state_and_kind(shelf: Book):
    several = [draft(f"draft {nth}", at=nth) for nth in range(3)]
    shelf = told(shelf, *several, published("told", at=5, kind="lesson", title="Ask first", text="Ask."))
    with shelf.source() as source:
        first = lessons.listed(source, LATER, state="draft", limit=2)
        assert [one.lesson_id for one in first.data] == [named_id("draft 0"), named_id("draft 1")]
        second = lessons.listed(source, LATER, state="draft", after=first.next, limit=2)
        assert ([one.lesson_id for one in second.data], second.next) == ([named_id("draft 2")], None)
        assert [one.kind for one in lessons.listed(source, LATER, kind="lesson").data] == ["lesson"]


def test_a_rebuild_gives_the_same_rows(shelf: Book):
    made = published().when(ReviseLesson(title="Another"), at=1).when(ReconfirmLesson(), at=2)
    mechanic = joined("mechanic").when(SetNamingConsent(given=True, name="Sam"), at=1)
    read([mechanic])
    acknowledged([mechanic])
    shelf = told(shelf, made, mechanic)
    live = shelf.rows(Lessons(), Receipts())
    assert all(live.values())
    for name in ("lessons", "receipts"):
        shelf.projector(NEEDED).rebuild(name)
    assert shelf.rows(Lessons(), Receipts()) == live


def test_no_name_stands_in_a_row():
    career = joined("mechanic").when(SetNamingConsent(given=True, name="Sam the mechanic"), at=1)
    rows = fold(Receipts(), career.facts)
    assert rows
    assert "Sam the mechanic" not in str(rows)


def test_what_it_does_not_tell_of_costs_nothing():
    assert fold(Lessons(), reported().facts) == fold(Receipts(), reported().facts) == {}
