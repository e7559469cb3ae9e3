"""What the house of the demo tells its own: a notice that everybody must know, and praise for who earned it."""

from typing import Final
from uuid import UUID

from api.stories.house import alike
from api.stories.telling import ACCOUNTANT, AGENT, CLEANER, MANAGER, MECHANIC, SALES, Tale, named
from domain.kinds import Actor
from domain.lessons.commands import ApproveLesson, DraftLesson, PublishLesson
from domain.lessons.lesson import LessonId
from domain.lessons.receipts import AcknowledgeLesson, ReadLesson
from domain.lessons.words import NAME

SOFTENED: Final = LessonId(named("notice of the courier's rule"))
KEPT_THE_WIPER: Final = LessonId(named("praise for the workshop"))


def rule_softened() -> Tale:
    """Everybody is told what has become of the courier's rule, the back office too."""
    tale = Tale(None, day=26, at="10:30")
    notice = DraftLesson(
        kind="notice",
        title="A parcel may change its day before the first attempt",
        text="Nobody has to wait for a failed delivery any more: change the day as soon as the customer asks.",
        topic="courier",
    )
    tale.then("0m", MANAGER, notice, on=SOFTENED)
    tale.then("10m", ACCOUNTANT, ApproveLesson(), on=SOFTENED)
    tale.then("15m", MANAGER, PublishLesson(), on=SOFTENED)
    for n, who in enumerate((*alike(AGENT), *alike(MECHANIC))):
        tale.then(f"1h {n}m", who, AcknowledgeLesson(lesson_id=SOFTENED), on=_of(who))
    for n, who in enumerate((CLEANER, *alike(SALES))):
        tale.then(f"2h {n}m", who, ReadLesson(lesson_id=SOFTENED), on=_of(who))
    return tale


def praise() -> Tale:
    """The workshop is praised before the whole house; who it was is told once he agrees to be named."""
    tale = Tale(None, day=27, at="09:00")
    recognition = DraftLesson(
        kind="recognition",
        title="The old wiper was kept, and explained",
        text=f"It was changed unasked by {NAME}, so that nobody need come back for it. Such customers stay.",
        colleague_id=str(MECHANIC.colleague_id),
    )
    tale.then("0m", MANAGER, recognition, on=KEPT_THE_WIPER)
    tale.then("5m", ACCOUNTANT, ApproveLesson(), on=KEPT_THE_WIPER)
    return tale.then("10m", MANAGER, PublishLesson(), on=KEPT_THE_WIPER)


def _of(who: Actor) -> UUID:
    if who.colleague_id is None:
        raise ValueError(f"{who.ref} is no colleague")
    return who.colleague_id


TALES: Final = (rule_softened, praise)
