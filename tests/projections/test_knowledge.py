"""Knowledge: lessons and stories told together, what of them is unread, and who may be named in them."""

from domain.colleagues.naming import SetNamingConsent
from domain.lessons.receipts import LessonRead
from projections import knowledge
from projections.readers import Reader, reader_of
from tests.support.careers import joined, known_as
from tests.support.given import named_id
from tests.support.ledgers import Book
from tests.support.lessons import LATER, NOTICE, published, told, told_to
from tests.support.stories import resolved


def test_a_colleague_is_told_how_much_he_has_not_read(shelf: Book):
    mechanic = joined("mechanic").given(LessonRead(lesson_id=named_id("lesson"), version=1), at=1)
    others = [published("other", kind="lesson", title="Ask first", text="Ask."), published("third")]
    with told(shelf, published(), *others, mechanic).source() as source:
        reader = reader_of(source, known_as("mechanic"), LATER)
        assert knowledge.unread(source, reader, LATER).model_dump() == {"unread": 2, "to_acknowledge": 2}


def test_lessons_and_stories_are_told_together_the_newest_first_page_by_page(shelf: Book):
    tales = [published(f"lesson {nth}", at=nth, **NOTICE | {"title": f"Notice {nth}"}) for nth in (0, 1, 2)]
    story = resolved(severity=3)
    shelf = told(shelf, *tales, story)
    whole = told_to(shelf, Reader())
    assert whole == ["Notice 2", "Notice 1", "Wrong or broken, put right by replacement", "Notice 0"]
    with shelf.source() as source:
        pages, before = [], None
        while True:
            page = knowledge.page(source, Reader(), LATER, before=before, limit=2)
            pages.append([one.title for one in page.items])
            if page.next is None:
                break
            before = page.next
        assert pages == [whole[:2], whole[2:]]
        forward = knowledge.page(source, Reader(), LATER, after=0, limit=3)
        assert [one.title for one in forward.items] == whole[:0:-1]
        rest = knowledge.page(source, Reader(), LATER, after=forward.next)
        assert ([one.title for one in rest.items], rest.next) == (whole[:1], None)


def test_s5_13_only_the_last_word_says_who_may_be_named(shelf: Book):
    willing = joined("willing").when(SetNamingConsent(given=True, name="Sam"), at=1)
    again = joined("again").when(SetNamingConsent(given=True, name="Kim"), at=1)
    again.when(SetNamingConsent(given=False), at=2)
    with told(shelf, willing, again, joined("silent")).source() as source:
        everybody = [known_as(name) for name in ("willing", "again", "silent")]
        assert knowledge.consents(source, everybody).keys() == {known_as("willing")}
        assert knowledge.consents(source, []) == {}
