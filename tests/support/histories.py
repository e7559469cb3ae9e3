"""Random histories for properties: plausible facts of one relationship, or of several in one ledger."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from domain.kinds import Fact
from tests.support.teller import TELLINGS, Choice, Teller
from tests.support.tellings import open_relationship

_DAY = 24 * 60
# Some news arrive late: time may step back, as `occurred_at` may.
GAPS = (0, 1, 5, 20, 90, 400, _DAY, 4 * _DAY, 20 * _DAY, 45 * _DAY, 200 * _DAY, -30, -2 * _DAY)
"""Minutes that may pass before the next thing happens."""

Told = tuple[int, str, int]
_TOLD = st.tuples(
    st.sampled_from(GAPS), st.sampled_from(sorted(TELLINGS)), st.integers(min_value=0, max_value=2**24)
)


def told(happened: Sequence[Told], stream: int = 0) -> list[Fact]:
    """The facts of one relationship, told from (minutes later, name of a telling, number to choose by)."""
    teller = Teller(stream=stream)
    open_relationship(teller)
    for minutes, name, number in happened:
        teller.now += timedelta(minutes=minutes)
        TELLINGS[name](teller, Choice(number))
    return teller.facts


def histories(max_size: int = 40) -> st.SearchStrategy[list[Fact]]:
    """Plausible facts of one relationship, versions and positions dense from 1."""
    return st.lists(_TOLD, max_size=max_size).map(told)


@st.composite
def relationships(draw: st.DrawFn, max_streams: int = 4, max_size: int = 20) -> list[Fact]:
    """Facts of several relationships as one ledger records them: streams mixed, positions dense from 1."""
    many = draw(st.lists(st.lists(_TOLD, max_size=max_size), min_size=1, max_size=max_streams))
    streams = [told(happened, stream) for stream, happened in enumerate(many)]
    turns = [stream for stream, facts in enumerate(streams) for _ in facts]
    return _recorded(streams, draw(st.permutations(turns)))


def _recorded(streams: Sequence[list[Fact]], turns: Sequence[int]) -> list[Fact]:
    waiting = [iter(facts) for facts in streams]
    ledger: list[Fact] = []
    for position, stream in enumerate(turns, start=1):
        fact = next(waiting[stream])
        recorded_at = max(fact.recorded_at, ledger[-1].recorded_at) if ledger else fact.recorded_at
        ledger.append(replace(fact, position=position, recorded_at=recorded_at))
    return ledger
