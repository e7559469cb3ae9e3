"""Hypothesis strategies for every event and command there is, read from the fields of its class."""

import types
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin
from uuid import UUID

from hypothesis import strategies as st
from pydantic import AfterValidator, AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from domain.values import EARLIEST, LATEST, OneOf

WORDS = st.sampled_from(["Ώρα να μιλήσουμε", "two hours late", 'ﬁ \u0301 \\u0000 " \n 💐'])
"""Words that go wrong easily: Greek, ligatures, lone accents, escapes, flowers."""


M = TypeVar("M", bound=BaseModel)


def instances(model: type[M]) -> st.SearchStrategy[M]:
    """Valid instances of the model, with and without each of its optional fields."""
    fields = {name: of(field.annotation, field.metadata) for name, field in model.model_fields.items()}
    required = {name: value for name, value in fields.items() if model.model_fields[name].is_required()}
    optional = {name: value for name, value in fields.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional).map(model.model_validate)


def of(annotation: Any, metadata: Iterable[Any] = ()) -> st.SearchStrategy[Any]:
    """Values that a field of this annotation takes."""
    rules = [rule for item in metadata for rule in (item.metadata if isinstance(item, FieldInfo) else [item])]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return of(inner[0], [*inner[1:], *rules])
    if origin in (Union, types.UnionType):
        return st.one_of([of(one, rules) for one in inner])
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.lists(of(inner[0]), max_size=3).map(tuple)
    if origin is dict:
        # Names of members are of the program, so without letters beyond ASCII.
        names = st.from_regex(r"\A[a-z_]{1,8}\Z") if inner[0] is str else of(inner[0])
        return st.dictionaries(names, of(inner[1]), max_size=3)
    return _plain(annotation, rules)


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    type(None): st.none(),
    UUID: st.uuids(),
    bool: st.booleans(),
    AwareDatetime: st.datetimes(_naive(EARLIEST), _naive(LATEST), timezones=st.just(UTC)),
    date: st.dates(),
    time: st.times(),
    Any: st.one_of(WORDS, st.integers(-1000, 1000), st.booleans()),
    timedelta: st.timedeltas(timedelta(0), timedelta(days=400)),
}


def _plain(annotation: Any, rules: list[Any]) -> st.SearchStrategy[Any]:
    if isinstance(annotation, NewType):
        return of(annotation.__supertype__, rules)
    if annotation is int:
        return st.integers(_rule(rules, "ge", -(2**53) + 1), _rule(rules, "le", 2**53 - 1))
    if annotation is str:
        return _text(rules)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return instances(annotation)
    return _SIMPLE[annotation]


def _text(rules: list[Any]) -> st.SearchStrategy[str]:
    for rule in rules:
        if isinstance(rule, OneOf):
            return st.sampled_from([*rule.known, "newer_than_us"])
    pattern = _rule(rules, "pattern", None)
    if not pattern:
        return WORDS
    checks = [rule.func for rule in rules if isinstance(rule, AfterValidator)]
    return st.from_regex(pattern.rstrip("$") + r"\Z").filter(
        lambda text: all(_passes(one, text) for one in checks)
    )


def _passes(check: Callable[[str], str], text: str) -> bool:
    try:
        check(text)
    except ValueError:
        return False
    return True


def _rule(rules: list[Any], name: str, default: Any) -> Any:
    found = (getattr(rule, name, None) for rule in rules)
    return next((value for value in found if value is not None), default)
