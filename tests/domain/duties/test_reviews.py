"""Reviews: by when the owner of a rule should look at it."""

from domain.counting import Met
from domain.duties.reviews import review_due
from tests.support.careers import day


def blocks(*days: float) -> list[Met]:
    return [Met(position, day(at)) for position, at in enumerate(days, start=1)]


def test_a_review_is_due_fourteen_days_after_the_fifth_block_and_four_call_for_none():
    assert review_due(blocks(1, 2, 3, 4), []) is None
    assert review_due(blocks(1, 2, 3, 4, 5), []) == day(19)


def test_it_stays_due_however_many_more_there_are_until_somebody_looked():
    assert review_due(blocks(*range(60)), []) == day(18)
    assert review_due(blocks(1, 2, 3, 4, 5), [day(4.9)]) == day(19)
    assert review_due(blocks(1, 2, 3, 4, 5), [day(6)]) is None


def test_five_more_blocks_after_a_review_call_for_the_next():
    assert review_due(blocks(1, 1, 1, 1, 1, 20, 20, 20, 20), [day(2)]) is None
    assert review_due(blocks(1, 1, 1, 1, 1, 20, 20, 20, 20, 21), [day(2)]) == day(35)
