"""The table of rules: one function for each kind of event that the sum knows."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from domain.kinds import Event, Fact
from domain.satisfaction.running import Running
from domain.satisfaction.score import RecoveryScore

Rule = Callable[[Running, Any, Fact], None]
RecoveryRule = Callable[[RecoveryScore, Any, Fact], RecoveryScore]
RULES: Final[dict[type[Event], Rule]] = {}
"""What each kind of event does to the sum."""


def on(*kinds: type[Event]) -> Callable[[Rule], Rule]:
    """Makes the function the rule of these kinds."""

    def enter(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return enter


def changing(*kinds: type[Event]) -> Callable[[RecoveryRule], RecoveryRule]:
    """Makes the function say how these kinds change a recovery, without touching what heals."""
    return _of_recovery(kinds, Running.keep)


def healing(*kinds: type[Event]) -> Callable[[RecoveryRule], RecoveryRule]:
    """Makes the function say how these kinds change a recovery, after which its healing is computed anew."""
    return _of_recovery(kinds, Running.heal)


def _of_recovery(
    kinds: tuple[type[Event], ...], take: Callable[[Running, UUID, RecoveryScore], None]
) -> Callable[[RecoveryRule], RecoveryRule]:
    def enter(change: RecoveryRule) -> RecoveryRule:
        def rule(running: Running, event: Any, fact: Fact) -> None:
            recovery = running.recovery(event.recovery_id)
            if recovery is None:
                return
            changed = change(recovery, event, fact)
            if changed is not recovery:
                take(running, event.recovery_id, changed)

        RULES.update(dict.fromkeys(kinds, rule))
        return change

    return enter
