"""What can go wrong: a rule said no, somebody was faster, or we have a fault.

Classes hold facts; `api/problems.py` alone knows status codes. A `code` is public and never reused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final, Literal

from domain.values import Money


def _outside(money: Money | None) -> dict[str, str] | None:
    return None if money is None else {"amount": money.amount, "currency": money.currency}


class AmendsError(Exception):
    """The base of everything we raise on purpose."""

    code: ClassVar[str]

    def facts(self) -> dict[str, Any]:
        """The public facts of this error, by name, ready for a problem document."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class Refused(AmendsError):
    """A rule said no; the caller can act."""


class Conflict(AmendsError):
    """Somebody was faster; read again and retry."""


class Broken(AmendsError):
    """We have a fault; somebody must be woken."""


class UnknownRef(Refused):
    """I-1: what the command names does not exist here."""

    code = "unknown_ref"

    def __init__(self, what: str, ref: object = None) -> None:
        super().__init__(f"there is no such {what}")
        self.what = what
        self.ref = None if ref is None else str(ref)


class AmbiguousRecovery(Refused):
    """Several open recoveries match; the caller must say which."""

    code = "ambiguous_recovery"

    def __init__(self, matches: list[str]) -> None:
        super().__init__(f"{len(matches)} open recoveries match; name one by recovery_id")
        self.matches = matches


class Erased(Refused):
    """I-2: the customer asked to be forgotten; only erasure bookkeeping is taken."""

    code = "erased"

    def __init__(self) -> None:
        super().__init__("this customer's personal data was erased; nothing more is recorded here")


class AlreadyExists(Refused):
    """An object of this id, or a customer of this reference, is there already."""

    code = "already_exists"

    def __init__(self, what: str, ref: object = None) -> None:
        super().__init__(f"this {what} exists already")
        self.what = what
        self.ref = None if ref is None else str(ref)


class WrongPhase(Refused):
    """The recovery is in a phase in which this cannot happen."""

    code = "wrong_phase"

    def __init__(self, phase: str, wanted: str) -> None:
        super().__init__(f"the recovery is {phase}; this needs {wanted}")
        self.phase, self.wanted = phase, wanted


class NothingDone(Refused):
    """I-4: nothing was done, or nobody apologised, since the recovery was last opened."""

    code = "nothing_done"

    def __init__(self, missing: list[str]) -> None:
        super().__init__("cannot be resolved yet; still missing: " + ", ".join(missing))
        self.missing = missing


class NoAlternative(Refused):
    """I-6: a refusal needs a reason and an alternative."""

    code = "no_alternative"

    def __init__(self) -> None:
        super().__init__("a refusal needs an alternative: a remedy_kind or words")


class AlreadyDelivered(Refused):
    """I-9: delivered at most once."""

    code = "already_delivered"

    def __init__(self, what: str) -> None:
        super().__init__(f"this {what} was delivered already")
        self.what = what


class AlreadyEnded(Refused):
    """I-9: expired, reversed, turned down or failed: it can no longer be delivered or changed."""

    code = "already_ended"

    def __init__(self, what: str, how: str) -> None:
        super().__init__(f"this {what} has ended: {how}")
        self.what, self.how = what, how


class CurrencyMismatch(Refused):
    """I-10: amounts of one grant are in different currencies and no rate was given."""

    code = "currency_mismatch"

    def __init__(self, expected: str, given: str) -> None:
        super().__init__(f"{given} against {expected}: give fx, or the same currency")
        self.expected, self.given = expected, given


class BudgetExhausted(Refused):
    """B-1: the budget has less left than this would take."""

    code = "budget_exhausted"

    def __init__(self, budget_id: object, asked: str, left: str, currency: str) -> None:
        super().__init__(f"asked for {asked} {currency}; {left} {currency} is left")
        self.budget_id = str(budget_id)
        self.asked = {"amount": asked, "currency": currency}
        self.left = {"amount": left, "currency": currency}


class OverLimit(Refused):
    """I-7: more than this role may give, alone or with approval."""

    code = "over_limit"

    def __init__(self, asked: Money | None, limit: Money | None, who_can: list[str]) -> None:
        super().__init__(self._said(limit, ", ".join(who_can)))
        self.asked, self.limit = _outside(asked), _outside(limit)
        self.who_can = who_can

    @staticmethod
    def _said(limit: Money | None, who_can: str) -> str:
        able = f"; these may: {who_can}" if who_can else ""
        return f"this role may give {'nothing of the kind' if limit is None else limit}{able}"


class NeedsWord(OverLimit):
    """I-7: it needs the word of somebody else, who was not asked, or who is not the one that says yes."""

    @staticmethod
    def _said(limit: Money | None, who_can: str) -> str:
        alone = "this" if limit is None else f"this role may give {limit} alone; more"
        return f"{alone} needs the word of: {who_can}"


class CustomerLimit(Refused):
    """I-8: this customer has had as much goodwill as one may have for a while."""

    code = "customer_limit"

    def __init__(self, limit: Money, left: Money, rule_id: str) -> None:
        super().__init__(f"one customer gets at most {limit} for a while; {left} is left")
        self.limit, self.left = _outside(limit), _outside(left)
        self.rule_id = rule_id


class WithinAuthority(Refused):
    """A-6: what was given within the authority in force stands; nobody takes it back for having been too much."""

    code = "within_authority"

    def __init__(self, causes: tuple[str, ...]) -> None:
        super().__init__(f"it was given within the authority in force and stands; causes: {', '.join(causes)}")
        self.causes = list(causes)


class SystemRule(Refused):
    """I-11: a program enforces the rule, so nobody overrides it by hand; its owner can change it."""

    code = "system_rule"

    def __init__(self, rule_id: str | None, owner: str) -> None:
        super().__init__(f"a program enforces this rule; work around it and tell {owner}")
        self.rule_id, self.owner = rule_id, owner


class HardRule(Refused):
    """I-11: law or safety stands behind the rule."""

    code = "hard_rule"

    def __init__(self, rule_id: str | None, legal_ref: str | None) -> None:
        super().__init__(f"this rule cannot be overridden: {legal_ref or 'law or safety'}")
        self.rule_id, self.legal_ref = rule_id, legal_ref


class StepMissing(Refused):
    """I-13: a grave matter is not closed before this step was done or waived."""

    code = "step_missing"

    def __init__(self, step: str) -> None:
        super().__init__(f"closing needs {step} first, or its waiver")
        self.step = step


class OwnGrant(Refused):
    """I-22: nobody grants to himself, and nobody decides what he asked for."""

    code = "own_grant"

    def __init__(self) -> None:
        super().__init__("somebody else must do this: nobody grants to himself")


class IndividualNeedsContext(Refused):
    """I-12: blaming one person needs evidence and what the house contributed."""

    code = "individual_needs_context"

    def __init__(self, missing: list[str]) -> None:
        super().__init__("an individual cause needs " + " and ".join(missing))
        self.missing = missing


class FollowUpMissing(Refused):
    """I-14: nobody asked the customer, or he has not answered."""

    code = "follow_up_missing"

    def __init__(self, outcome: str, needs: str) -> None:
        super().__init__(f"closing as {outcome} needs {needs}")
        self.outcome, self.needs = outcome, needs


class OwnCase(Refused):
    """I-21: a colleague named in a report of poor treatment does not own, decide, close or explain that case."""

    code = "own_case"

    def __init__(self) -> None:
        super().__init__("somebody else must do this: the colleague is named in this recovery")


class NotNamed(Refused):
    """A report that names a colleague is answered by him alone, in his own name."""

    code = "not_named"

    def __init__(self) -> None:
        super().__init__("only the colleague whom the report names gives his side of it")


class OwnLesson(Refused):
    """A lesson is approved by somebody else than whom it is about."""

    code = "own_lesson"

    def __init__(self) -> None:
        super().__init__("somebody else must approve it: it is about you, or to your credit")


class NotApproved(Refused):
    """Nobody has approved this wording yet."""

    code = "not_approved"

    def __init__(self, edition: int) -> None:
        super().__init__(f"wording {edition} is not approved yet")
        self.edition = edition


class NotPostable(Refused):
    """A fact that is not posted as an event: it only follows from others, or is about the house itself.

    `elsewhere`: there is a command for it, at an address of its own.
    """

    code = "not_postable"

    def __init__(self, topic: str, *, elsewhere: bool = False) -> None:
        why = "is decided at an address of its own" if elsewhere else "follows from other facts"
        super().__init__(f"{topic} {why} and cannot be posted as an event")
        self.topic = topic


class NotAllowed(Refused):
    """The credential lacks a scope that this needs."""

    code = "missing_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"this needs the scope {scope}")
        self.scope = scope


class InQuietHours(Refused):
    """I-17: the customer does not want to be asked or invited at this hour."""

    code = "quiet_hours"

    def __init__(self, until: str) -> None:
        super().__init__(f"the customer wants quiet until {until}")
        self.until = until


class FutureEvent(Refused):
    """It has not happened yet: more than five minutes ahead of the ledger's clock."""

    code = "future_event"

    def __init__(self, moment: str, recorded_at: str, field: str = "occurred_at") -> None:
        self._reason = f"{moment} lies more than five minutes after {recorded_at}"
        super().__init__(f"{field} {self._reason}")
        self.field, self.moment, self.recorded_at = field, moment, recorded_at
        if field == "occurred_at":
            # The member by which it was told before there was a field.
            self.occurred_at = moment

    @property
    def reason(self) -> str:
        """What is wrong with the time."""
        return self._reason


class TooOld(Refused):
    """Older than the house accepts without the scope import."""

    code = "too_old"

    def __init__(self, occurred_at: str, max_days: int) -> None:
        super().__init__(f"occurred_at {occurred_at} is more than {max_days} days ago")
        self.occurred_at, self.max_days = occurred_at, max_days


class InvalidValue(Refused):
    """A value is well-formed but cannot be meant. `field` leads to it, with dots between names: `stated.value`."""

    code = "invalid_value"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


@contextmanager
def part(name: str | None) -> Iterator[None]:
    """What is refused here is told as a part of what has this name; without a name, as the whole."""
    try:
        yield
    except InvalidValue as wrong:
        raise wrong if name is None else InvalidValue(f"{name}.{wrong.field}", wrong.reason) from None
    except FutureEvent as wrong:
        field = wrong.field if name is None else f"{name}.{wrong.field}"
        raise FutureEvent(wrong.moment, wrong.recorded_at, field) from None


class KeyReused(Refused):
    """The same idempotency key or event id came again with other content."""

    code = "key_reused"

    def __init__(self) -> None:
        super().__init__("this key was used before with other content")


class NewerProgramNeeded(Broken):
    """A newer version of the program recorded what this one cannot read; a process of that version can take it."""

    code = "newer_program_needed"

    def __init__(self, retry_after_seconds: int = 5) -> None:
        super().__init__("a newer version of the service must take this; try again with the same key")
        self.retry_after_seconds = retry_after_seconds


class AddressRefused(Refused):
    """A webhook would go where none may go: inside our own network, or to what is no web address.

    `reason`: url, scheme, userinfo, host, unresolved, address or port.
    """

    code = "address_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"no webhook goes to this address: {_NO_WEBHOOK[reason]}")
        self.reason = reason


_NO_WEBHOOK: Final = {
    "url": "it is no plain web address",
    "scheme": "it must begin with https://",
    "userinfo": "it holds a user's name or password",
    "host": "it names no host",
    "unresolved": "nobody knows the host",
    "address": "the host is not on the open internet",
    "port": "the port is not one for the web",
}


class WebhookLimit(Refused):
    """A ledger has as many webhooks as it may have."""

    code = "webhook_limit"

    def __init__(self, limit: int) -> None:
        super().__init__(f"a ledger has at most {limit} webhooks; delete one first")
        self.limit = limit


class StaleVersion(Conflict):
    """The caller decided on an older version than the current one."""

    code = "stale_version"

    def __init__(self, current_version: int) -> None:
        super().__init__(f"the current version is {current_version}")
        self.current_version = current_version


class Busy(Conflict):
    """More is waiting than we can take; come back shortly."""

    code = "busy"

    def __init__(self, retry_after_seconds: int = 1) -> None:
        super().__init__("too much is waiting; try again shortly")
        self.retry_after_seconds = retry_after_seconds


class Unavailable(Broken):
    """The database did not answer. Nothing was acknowledged; the same key may be sent again.

    `recorded` says of a write whether it may be in the ledger all the same.
    """

    code = "unavailable"

    def __init__(self, retry_after_seconds: int = 2, recorded: Literal["no", "unknown"] | None = None) -> None:
        unknown = "; nobody knows whether it was recorded" if recorded == "unknown" else ""
        super().__init__(f"the ledger cannot be reached{unknown}; try again with the same key")
        self.retry_after_seconds, self.recorded = retry_after_seconds, recorded
