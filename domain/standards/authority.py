"""Authority: what each role may give out of its own judgement, and who can say yes to more.

All rules that match count, and the most generous whose training is there decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.currencies import exponent
from domain.standards.document import SHIPPED, Body, SetOf, Standard
from domain.values import Code, Money
from domain.vocabulary import COMPENSATION_KIND, Basis, CompensationKind, RoleClass

Approval = Literal["none", "peer", "manager"]
LONGEST_PERIOD: Final = timedelta(days=400)
"""What was given longer ago counts against nobody."""


class PerCustomer(BaseModel):
    """How much one customer may get within a period."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_timedelta="iso8601")

    limit: Money
    period: Annotated[timedelta, Field(gt=timedelta(0), le=LONGEST_PERIOD, examples=["P90D"])]


class OnTimeout(BaseModel):
    """What happens when nobody decides in time: the customer gets this much, or the request goes further up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grant_up_to: Money | None = None
    escalate: bool = False

    @model_validator(mode="after")
    def _one(self) -> "OnTimeout":
        if (self.grant_up_to is None) != self.escalate:
            raise ValueError("either grant_up_to an amount or escalate: true")
        return self


class Rule(BaseModel):
    """What these roles may give of these kinds. A rule with an approval needs somebody's word for each grant."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_timedelta="iso8601")

    rule_id: Code
    roles: SetOf[Code] = frozenset()
    role_classes: SetOf[RoleClass] = frozenset()
    kinds: SetOf[CompensationKind] = frozenset()
    """Of these kinds only; without any, of every kind."""
    bases: SetOf[Basis] = frozenset(("goodwill",))
    per_grant: Money
    per_customer: PerCustomer | None = None
    per_colleague_day: Money | None = None
    no_proof_limit: Money | None = None
    """Up to this loss nobody asks the customer for proof."""
    approval: Approval = "none"
    max_wait: Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=7), examples=["PT15M"])] | None = None
    on_timeout: OnTimeout | None = None
    requires_training: SetOf[Code] = frozenset()

    @model_validator(mode="after")
    def _meant(self) -> "Rule":
        if not self.roles and not self.role_classes:
            raise ValueError(f"{self.rule_id}: name the roles or the role_classes that it is for")
        if unknown := sorted(kind for kind in self.kinds if COMPENSATION_KIND.read(kind) != kind):
            raise ValueError(f"{self.rule_id}: no such kinds of compensation: {', '.join(unknown)}")
        if (self.approval != "none") != (self.max_wait is not None):
            raise ValueError(f"{self.rule_id}: max_wait goes with an approval, and only with one")
        if (self.on_timeout is None) != (self.max_wait is None):
            raise ValueError(f"{self.rule_id}: on_timeout goes with max_wait: say what happens then")
        if len(currencies := {money.currency for money in self._amounts()}) > 1:
            raise ValueError(
                f"{self.rule_id}: all amounts of a rule are in one currency, not {sorted(currencies)}"
            )
        return self

    def _amounts(self) -> Iterable[Money]:
        limit = self.per_customer.limit if self.per_customer else None
        fallback = self.on_timeout.grant_up_to if self.on_timeout else None
        given = (self.per_grant, limit, self.per_colleague_day, self.no_proof_limit, fallback)
        return (money for money in given if money is not None)

    @property
    def alone(self) -> bool:
        """Whether the role gives it without asking anybody."""
        return self.approval == "none"

    def covers(self, asked: "Asked") -> bool:
        """Whether the rule speaks of such a grant."""
        kind = asked.kind is None or not self.kinds or asked.kind in self.kinds
        return kind and asked.basis in self.bases and asked.currency in (None, self.per_grant.currency)

    def generosity(self) -> tuple[int, int, int, str]:
        """Orders rules of one currency from the least to the most generous; ties by name."""
        limit = self.per_customer.limit.minor if self.per_customer else _UNLIMITED
        day = self.per_colleague_day.minor if self.per_colleague_day else _UNLIMITED
        return self.per_grant.minor, limit, day, self.rule_id

    def left(self, given: int) -> Money:
        """How much one customer may still get at once who was given this much in the period, in minor units."""
        if self.per_customer is None:
            return self.per_grant
        left = max(self.per_customer.limit.minor - given, 0)
        return Money(minor=min(self.per_grant.minor, left), currency=self.per_grant.currency)

    def counts_from(self, moment: datetime) -> datetime:
        """Since when grants count against the customer's limit."""
        return moment - self.per_customer.period if self.per_customer else moment


_UNLIMITED: Final = 2**63


class Authority(Body):
    """Rules of what may be given."""

    KIND: ClassVar[str] = "authority"

    rules: tuple[Rule, ...] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _told_apart(self) -> "Authority":
        names = [rule.rule_id for rule in self.rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError("every rule has its own rule_id; twice there are: " + ", ".join(twice))
        return self


@dataclass(frozen=True)
class Asked:
    """What somebody wants to give; without a kind or a currency, of any."""

    kind: str | None = None
    basis: str = "goodwill"
    currency: str | None = None


@dataclass(frozen=True)
class Asker:
    """Who wants to give: his role and what he was trained in."""

    role: str = "other"
    role_class: str = "front"
    training: frozenset[str] = frozenset()

    def is_meant(self, rule: Rule) -> bool:
        """Whether the rule is for him and his training is what it asks for."""
        named = self.role in rule.roles or self.role_class in rule.role_classes
        return named and rule.requires_training <= self.training


ANYTHING: Final = Asked()
Documents = Iterable[Standard[Authority]]


@dataclass(frozen=True)
class Ruling:
    """The rule that decides, and the document it stands in."""

    standard: str
    version: int
    rule: Rule


def most_generous(documents: Documents, asker: Asker, asked: Asked = ANYTHING) -> Ruling | None:
    """What he may give without asking anybody; None where no rule lets him."""
    found = [one for one in _matching(documents, asked) if asker.is_meant(one.rule) and one.rule.alone]
    return max(found, key=lambda one: one.rule.generosity(), default=None)


def with_approval(documents: Documents, asker: Asker, asked: Asked = ANYTHING) -> Ruling | None:
    """What he may give once somebody says yes; None where he cannot ask for more."""
    found = [one for one in _matching(documents, asked) if asker.is_meant(one.rule) and not one.rule.alone]
    return max(found, key=lambda one: one.rule.generosity(), default=None)


def who_can(documents: Documents, amount: Money, asked: Asked = ANYTHING) -> list[str]:
    """The roles and role classes of people who may give this much alone, by name."""
    rules = (one.rule for one in _matching(documents, asked) if one.rule.alone)
    enough = (one for one in rules if one.per_grant.currency == amount.currency)
    names = {
        name for one in enough if one.per_grant.minor >= amount.minor for name in one.roles | one.role_classes
    }
    return sorted(names - {"system"})


def _matching(documents: Documents, asked: Asked) -> Iterable[Ruling]:
    for one in documents:
        yield from (Ruling(one.ref, one.version, rule) for rule in one.body.rules if rule.covers(asked))


def _euro(cents: int) -> Money:
    return Money(minor=cents, currency="EUR")


_FRONT_AND_BACK: Final[frozenset[RoleClass]] = frozenset(("front", "back"))
_A_QUARTER: Final = timedelta(days=90)
AUTHORITY: Final = Standard[Authority](
    name=SHIPPED,
    body=Authority(
        rules=(
            Rule(
                rule_id="front-line",
                role_classes=_FRONT_AND_BACK,
                per_grant=_euro(50_00),
                per_customer=PerCustomer(limit=_euro(100_00), period=_A_QUARTER),
                per_colleague_day=_euro(150_00),
                no_proof_limit=_euro(50_00),
            ),
            Rule(
                rule_id="front-line-approved",
                role_classes=_FRONT_AND_BACK,
                per_grant=_euro(500_00),
                approval="manager",
                max_wait=timedelta(minutes=15),
                on_timeout=OnTimeout(grant_up_to=_euro(25_00)),
            ),
            Rule(
                rule_id="manager",
                role_classes=frozenset(("manager",)),
                per_grant=_euro(500_00),
                no_proof_limit=_euro(500_00),
            ),
            # A service that acts by itself is the front line's hand; it has no day of its own to count against.
            Rule(
                rule_id="service",
                role_classes=frozenset(("system",)),
                per_grant=_euro(50_00),
                per_customer=PerCustomer(limit=_euro(100_00), period=_A_QUARTER),
                no_proof_limit=_euro(50_00),
            ),
        )
    ),
)
"""The authority that ships with the program. Source: domain.md section 4."""


@cache
def shipped_in(currency: str) -> Standard[Authority]:
    """What ships, with the same figures in another currency, for houses that have no rule in theirs."""

    def there(money: Money | None) -> Money | None:
        if money is None:
            return None
        minor = money.minor * 10 ** exponent(currency) // 10 ** exponent(money.currency)
        return Money(minor=minor, currency=currency)

    def translated(rule: Rule) -> Rule:
        amounts = ("per_grant", "per_colleague_day", "no_proof_limit")
        changed: dict[str, Any] = {name: there(getattr(rule, name)) for name in amounts}
        if rule.per_customer is not None:
            changed["per_customer"] = rule.per_customer.model_copy(
                update={"limit": there(rule.per_customer.limit)}
            )
        if rule.on_timeout is not None:
            changed["on_timeout"] = rule.on_timeout.model_copy(
                update={"grant_up_to": there(rule.on_timeout.grant_up_to)}
            )
        return rule.model_copy(update=changed)

    rules = tuple(translated(rule) for rule in AUTHORITY.body.rules)
    return AUTHORITY.model_copy(update={"body": Authority(rules=rules)})
