"""One file per read model: its tables, how events change them, how they are asked."""

from typing import Final

from projections.base import Projection
from projections.feed import Feed
from projections.recoveries import Recoveries
from projections.satisfaction import SatisfactionState
from projections.timeline import Timeline

ALL: Final[tuple[Projection, ...]] = (SatisfactionState(), Recoveries(), Timeline(), Feed())
"""Every read model. A new one = a new file here and one word in this list."""
