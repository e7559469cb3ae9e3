"""Next step: the best thing to do now for one recovery, why, until when, and with what words."""

from datetime import datetime
from typing import Final

from domain.advice.advice import ClosingWords, NextStep
from domain.advice.look import Look
from domain.advice.options import ranked
from domain.advice.rules import CLOSING, RULES, Advised
from domain.advice.situation import Situation
from domain.recovery import Recovery
from domain.standards.authority import Asker
from domain.standards.house import House

_NOTHING: Final = Advised("nothing", "closed", ranked(()), section=CLOSING)


def next_step(found: Situation, recovery: Recovery, house: House, asker: Asker, as_of: datetime) -> NextStep:
    """The next best step of this recovery. The same facts, standards and moment always give the same step."""
    look = Look.at(found, recovery, house, asker, as_of)
    if recovery.phase == "closed":
        return _told(look, _NOTHING)
    return _told(look, next((one for rule in RULES if (one := rule(look)) is not None), _NOTHING))


def _told(look: Look, advised: Advised) -> NextStep:
    playbook = look.playbook
    body, closing = playbook.body, advised.section == CLOSING
    words = ClosingWords(do=body.closing_do, dont=body.closing_dont)
    return NextStep(
        recovery_id=look.recovery.recovery_id,
        step=advised.step,
        reason_code=advised.reason,
        due_at=advised.due_at,
        overdue=advised.due_at is not None and advised.due_at <= look.as_of,
        script_ref=f"{playbook.ref}:{playbook.version}:{advised.section}",
        script=body.closing_do if closing else body.steps,
        options=advised.options,
        authority_left=look.authority,
        dignity=body.dignity if look.recovery.fault in ("customer", "shared") else (),
        closing_words=words if closing else None,
        expectation_notes=body.expectation_notes,
    )
