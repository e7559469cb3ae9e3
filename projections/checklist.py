"""The five steps of a recovery: what is done, what is due, what was waived, and what nobody expects yet.

Derived from the state alone: apology in three stages, action, compassion, compensation, follow-up.
"""

from collections.abc import Mapping
from typing import Any, Final

from domain.recovery import Done, Recovery

STEPS: Final = ("apology", "action", "compassion", "compensation", "follow_up")
STAGES: Final = ("acknowledgement", "resolution", "follow_up")
VOID: Final = ("withdrawn", "duplicate", "entered_in_error")
"""Outcomes after which nothing is owed any more."""
NOT_RECORDED: Final = "not_recorded"
"""The waiver of importers: the source does not say whether the step was done, so nobody takes credit for it."""


def checklist(recovery: Recovery) -> dict[str, dict[str, Any]]:
    """The five steps by name, each with `status` due, done, waived or not_due, and when, by whom or why."""
    owed = recovery.outcome not in VOID
    return {
        "apology": _apology(recovery, owed),
        # A refusal with an alternative, or an offer turned down, settles the action as well.
        "action": _step(recovery, "remedy", due=owed and not recovery.acted),
        "compassion": _step(recovery, "compassion", due=owed),
        "compensation": _step(recovery, "compensation", due=owed and recovery.expects_compensation),
        "follow_up": _step(recovery, "follow_up", due=owed and recovery.ended),
    }


def in_order(steps: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """A checklist in the order of the steps; what was stored has another."""
    told = {name: steps[name] for name in STEPS}
    stages = told["apology"]["stages"]
    return told | {"apology": {**told["apology"], "stages": {name: stages[name] for name in STAGES}}}


def coverage(steps: Mapping[str, Mapping[str, Any]]) -> tuple[int, int]:
    """(steps done, or waived for a known reason; steps that were due) of a checklist."""
    due = [step for step in steps.values() if step["status"] != "not_due"]
    known = [step for step in due if step.get("reason") != NOT_RECORDED]
    covered = [step for step in known if step["status"] in ("done", "waived")]
    return len(covered), len(due)


def _apology(recovery: Recovery, owed: bool) -> dict[str, Any]:
    reached = {
        "acknowledgement": owed,
        "resolution": owed and (recovery.acted or recovery.ended),
        "follow_up": owed and recovery.ended,
    }
    stages = {stage: _step(recovery, f"apology:{stage}", due=reached[stage]) for stage in STAGES}
    return {**_step(recovery, "apology", due=owed), "stages": stages}


def _step(recovery: Recovery, step: str, *, due: bool) -> dict[str, Any]:
    done: Done | None = recovery.done.get(step)
    if done is not None:
        return {"status": "done", "at": done.at, "by": done.by}
    reason = recovery.waived.get(step.partition(":")[0])
    if reason is not None:
        return {"status": "waived", "reason": reason}
    return {"status": "due" if due else "not_due"}
