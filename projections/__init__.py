"""One file per read model: its tables, how events change them, how they are asked."""

from typing import Final

from projections.aftermath import Aftermath
from projections.arrivals import Arrivals
from projections.base import Projection
from projections.budgets import Budgets
from projections.clocks import Clocks
from projections.feed import Feed
from projections.grants import Grants
from projections.lesson_rows import Lessons, Receipts
from projections.loyalty import Loyalty
from projections.obstacles import Obstacles
from projections.process_load import ProcessLoad
from projections.promises import Promises
from projections.recovery_rows import Recoveries
from projections.root_causes import RootCauses
from projections.satisfaction import SatisfactionState
from projections.signs import Signs
from projections.statements import Statements
from projections.timeline import Timeline
from projections.training_rows import Training
from projections.voices import Voices
from projections.worth import Worth

ALL: Final[tuple[Projection, ...]] = (
    SatisfactionState(),
    Recoveries(),
    Timeline(),
    Feed(),
    RootCauses(),
    Obstacles(),
    ProcessLoad(),
    Clocks(),
    Worth(),
    Loyalty(),
    Statements(),
    Budgets(),
    Grants(),
    Training(),
    Lessons(),
    Receipts(),
    Signs(),
    Arrivals(),
    Voices(),
    Promises(),
    Aftermath(),
)
"""Every read model. A new one = a new file here and one word in this list."""
