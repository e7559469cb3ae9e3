"""To whom a customer's better word is credited, and which groups are large enough to be told apart."""

from hypothesis import given
from hypothesis import strategies as st

from domain.loyalty import credited, shown, summable


def test_s5_2_a_better_word_is_shared_by_what_was_done_since_the_word_before():
    assert credited([3, 5], [(7, 900)]) == {3: 450, 5: 450}
    assert credited([3, 5, 8], [(4, 100), (9, 301)]) == {3: 100, 5: 150, 8: 151}


def test_a_worse_word_is_nobodys():
    assert credited([3, 5], [(4, -800), (6, 10)]) == {5: 10}


def test_a_word_that_nothing_came_before_is_the_customers_own():
    assert credited([], [(7, 900)]) == {}
    assert credited([8], [(7, 900)]) == {}


def test_groups_of_four_are_hidden_and_groups_of_five_are_shown():
    assert shown({"mechanic": range(5)}) == ["mechanic"]
    assert shown({"mechanic": range(4)}) == []


def test_one_colleague_in_two_acts_is_one_colleague():
    assert shown({"mechanic": [1, 2, 3, 4, 4, 4]}) == []


def test_the_rest_of_a_sum_never_tells_of_fewer_than_five():
    cells = {"mechanic": range(5), "technician": range(10, 17), "accountant": [20]}
    assert shown(cells) == ["technician"]
    assert summable(cells, ["technician"])
    assert not summable(cells, ["technician", "mechanic"])


def test_two_small_groups_may_hide_in_each_other():
    cells = {"mechanic": range(5), "accountant": [20, 21, 22], "cleaner": [30, 31]}
    assert shown(cells) == ["mechanic"]


@given(st.dictionaries(st.integers(0, 6), st.sets(st.integers(0, 30), min_size=1), max_size=6))
def test_whatever_can_be_seen_or_worked_out_is_about_five_or_more(cells: dict[int, set[int]]):
    kept = shown(cells)
    assert all(len(cells[cell]) >= 5 for cell in kept)
    others = set().union(*(makers for cell, makers in cells.items() if cell not in kept))
    assert not kept or not others or len(others) >= 5


@given(
    st.lists(st.integers(1, 99), unique=True).map(sorted),
    st.lists(st.tuples(st.integers(100, 199), st.integers(-900, 900)), unique_by=lambda one: one[0]).map(sorted),
)
def test_no_more_is_credited_than_the_customer_gave(acts: list[int], words: list[tuple[int, int]]):
    given_to_somebody = sum(credited(acts, words).values())
    assert 0 <= given_to_somebody <= sum(max(0, lift) for _, lift in words)
