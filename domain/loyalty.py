"""Loyalty: to whom a customer's better word is credited, and which groups are large enough to be told apart."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from domain.rates import hidden

Cell = TypeVar("Cell")
Maker = TypeVar("Maker")


def credited(acts: Sequence[int], words: Iterable[tuple[int, int]]) -> dict[int, int]:
    """How much of the customer's words goes to each act, by the position of the act.

    `acts` are positions, `words` are (position, how much it lifted the score), both in order. A lift is shared
    equally among what was done for him since the word before; what does not divide goes to the latest act. A word
    that sank the score is nobody's: this is about who makes loyalty, not about who costs it.
    """
    shares: dict[int, int] = {}
    for (since, _), (at, lift) in pairwise([(0, 0), *words]):
        mine = acts[bisect_right(acts, since) : bisect_left(acts, at)]
        if lift <= 0 or not mine:
            continue
        share, rest = divmod(lift, len(mine))
        shares |= dict.fromkeys(mine, share)
        shares[mine[-1]] += rest
    return shares


def shown(cells: Mapping[Cell, Collection[Maker]]) -> list[Cell]:
    """The cells that may be shown beside their sum without pointing at fewer than five colleagues.

    Taking the shown cells from the sum must not tell of fewer either: where it would, the smallest of them is
    hidden too.
    """
    sizes = {cell: len({*makers}) for cell, makers in cells.items()}
    kept = sorted((cell for cell in cells if not hidden(sizes[cell])), key=lambda cell: sizes[cell])
    while kept and not summable(cells, kept):
        kept.pop(0)
    return kept


def summable(cells: Mapping[Cell, Collection[Maker]], kept: Collection[Cell]) -> bool:
    """Whether the sum of all cells may stand beside those kept: the others are nobody, or five and more."""
    others = {maker for cell in cells if cell not in kept for maker in cells[cell]}
    return not others or not hidden(len(others))
