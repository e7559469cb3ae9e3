"""The collector rests while somebody folds, and works again when the last one has done."""

import gc
from contextlib import ExitStack

from infrastructure.memory import uncollected


def test_it_rests_inside_the_block_and_works_after_it_even_after_a_fault():
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
    try:
        with uncollected():
            raise KeyError
    except KeyError:
        assert gc.isenabled()


def test_whoever_leaves_first_the_last_one_turns_it_on():
    one, other = ExitStack(), ExitStack()
    one.enter_context(uncollected())
    other.enter_context(uncollected())
    one.close()
    assert not gc.isenabled()
    with uncollected():
        other.close()
        assert not gc.isenabled()
    assert gc.isenabled()
