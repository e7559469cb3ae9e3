"""Receipts: each colleague reads and acknowledges a version once, and a new version anew."""

from typing import Any
from uuid import UUID

import pytest

from domain.colleagues.post import Leave
from domain.kinds import Context
from domain.lessons.commands import ApproveLesson, PublishLesson, RetireLesson, ReviseLesson
from domain.lessons.receipts import AcknowledgeLesson, LessonAcknowledged, LessonRead, ReadLesson, ReceiptCommand
from tests.support.careers import Career, day, joined, known_as
from tests.support.given import colleague, named_id, refused
from tests.support.lessons import NOTICE, Writing, draft, published

LESSON = named_id("lesson")


def receives(career: Career, lesson: Writing, kind: type[ReceiptCommand], version: int | None = None) -> list[Any]:
    """What comes of it when this colleague hands in a receipt for this lesson."""

    def other(wanted: type[Any], stream: UUID | tuple[str, str]) -> Any:
        return lesson.state if stream == lesson.state.stream_id else wanted.begun(stream)

    context = Context(
        occurred_at=day(1),
        recorded_at=day(1),
        actor=colleague(career.name),
        new_id=lambda: named_id("minted"),
        pseudonym=lambda kind, value: named_id(f"{kind}:{value}"),
        other=other,
    )
    found = list(kind(lesson_id=LESSON, version=version).decide(career.state, context))
    career.given(*found, at=1)
    return found


def anew(lesson: Writing) -> Writing:
    """The same in another wording, told to everybody."""
    return lesson.when(ReviseLesson(text="Another one.")).when(ApproveLesson()).when(PublishLesson())


def test_s1_20_a_receipt_is_for_the_version_that_is_told_and_comes_once():
    mechanic, lesson = joined("mechanic"), published()
    assert receives(mechanic, lesson, ReadLesson) == [LessonRead(lesson_id=LESSON, version=1)]
    assert receives(mechanic, lesson, ReadLesson) == []


def test_s5_20_a_new_version_is_read_and_acknowledged_anew():
    mechanic, lesson = joined("mechanic"), published()
    assert receives(mechanic, lesson, AcknowledgeLesson) == [LessonAcknowledged(lesson_id=LESSON, version=1)]
    assert receives(mechanic, lesson, AcknowledgeLesson) == []
    anew(lesson)
    assert receives(mechanic, lesson, AcknowledgeLesson) == [LessonAcknowledged(lesson_id=LESSON, version=2)]


def test_who_acknowledged_has_read():
    mechanic, lesson = joined("mechanic"), published()
    receives(mechanic, lesson, AcknowledgeLesson)
    assert receives(mechanic, lesson, ReadLesson) == []


def test_who_read_may_acknowledge_later():
    mechanic, lesson = joined("mechanic"), published()
    receives(mechanic, lesson, ReadLesson)
    assert len(receives(mechanic, lesson, AcknowledgeLesson)) == 1


def test_a_receipt_for_the_version_before_is_no_receipt_for_the_new_one():
    mechanic, lesson = joined("mechanic"), anew(published())
    assert receives(mechanic, lesson, ReadLesson, version=1) == [LessonRead(lesson_id=LESSON, version=1)]
    assert receives(mechanic, lesson, ReadLesson) == [LessonRead(lesson_id=LESSON, version=2)]
    assert receives(mechanic, lesson, ReadLesson, version=1) == []


def test_a_wording_that_is_not_told_yet_cannot_be_read():
    lesson = published().when(ReviseLesson(text="Another one."))
    with refused("invalid_value", field="version"):
        receives(joined("mechanic"), lesson, ReadLesson, version=2)


def test_a_draft_cannot_be_read():
    with refused("unknown_ref"):
        receives(joined("mechanic"), draft(), ReadLesson)


def test_what_is_nowhere_cannot_be_read():
    with refused("unknown_ref"):
        receives(joined("mechanic"), Writing("lesson"), AcknowledgeLesson)


def test_what_is_retired_needs_no_receipt():
    with refused("already_ended"):
        receives(joined("mechanic"), published().when(RetireLesson()), ReadLesson)


def test_whoever_left_reads_nothing_here():
    with refused("unknown_ref"):
        receives(joined("mechanic").when(Leave(), at=1), published(), ReadLesson)


@pytest.mark.parametrize("kind", [ReadLesson, AcknowledgeLesson])
def test_s2_2_what_is_for_one_colleague_is_there_for_him_alone(kind: type[ReceiptCommand]):
    lesson = published(**NOTICE | {"audience": {"colleague_id": "barista"}})
    with refused("unknown_ref"):
        receives(joined("mechanic"), lesson, kind)
    assert lesson.state.only_for == known_as("barista")
    assert len(receives(joined("barista"), lesson, kind)) == 1
