"""What holds of every kind of event and command, so that a new one cannot forget it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel

import domain.all_kinds
from domain.kinds import COMMAND_OF_TYPE, COMMANDS, EVENTS, Command, Event
from domain.moves.relationship import PersonalDataErased
from domain.relationship import RelationshipCommand
from domain.values import CallerRef, Code, ColleaguePersonal, OneOf, Personal, Words
from tests.support.given import named_id, refused, story
from tests.support.stories import reported

ROOT = Path(__file__).resolve().parents[2]
TOPICS = ROOT / "docs" / "topics.md"
# Other tests may define kinds of their own; only the house's are looked at.
OURS: dict[str, type[Event]] = {
    topic: kind for topic, kind in sorted(EVENTS.items()) if kind.__module__.startswith("domain.")
}
OUR_COMMANDS: dict[str, type[Command]] = {
    path: kind for path, kind in sorted(COMMANDS.items()) if kind.__module__.startswith("domain.")
}
ON_CUSTOMERS = {path: kind for path, kind in OUR_COMMANDS.items() if issubclass(kind, RelationshipCommand)}
"""The commands on a customer; the others are about the house."""
NOT_POSTABLE = {
    "authority.returned",
    "authority.used",
    "colleague_name.erased",
    "compensation.committed",
    "compensation.expired",
    "compensation.requested",
    "compensation.reserved",
    "deadline.missed",
    "deadline.moved",
    "deadline.set",
    "help.escalated",
    "personal_data.erased",
    "reservation.released",
    "return_invitation.expired",
    "silence.noticed",
    "silence.timed",
}
"""The facts that only follow from others."""
WITHOUT_A_FACT = {"instant-remedy", "record-source-deadline"}
"""The commands that report no fact of their own: several at once, or another system's."""
LESSONS = ("lesson.drafted", "lesson.revised")
"""The facts that hold the words of a lesson."""
SENTENCE = "two words"
"""A pattern that matches this takes any words."""

SMALLEST: dict[str, dict[str, Any]] = {
    "acknowledge": {},
    "acknowledge-lesson": {"lesson_id": named_id("lesson")},
    "announce-leaving": {},
    "answer-help": {"help_id": named_id("help"), "plan": "A course in May."},
    "answer-treatment": {"note": "I was alone."},
    "apologise": {"said": "regret"},
    "approve-lesson": {},
    "ask-for-help": {"kind": "training", "topic": "returns"},
    "assign": {"team": "front"},
    "attempt-follow-up": {"outcome": "no_answer"},
    "attribute-cause": {"cause_class": "training"},
    "change-role": {"team": "workshop"},
    "close": {"outcome": "withdrawn"},
    "close-budget": {},
    "complete-encounter": {"touchpoint": "shop"},
    "complete-follow-up": {"outcome": "satisfied"},
    "complete-training": {"topic": "returns"},
    "contact-again": {},
    "decide-compensation": {"approve": True},
    "declare-value": {"amount": {"amount": "15.00", "currency": "EUR"}, "per": "day"},
    "deliver-compensation": {},
    "deliver-remedy": {"remedy_kind": "refund"},
    "draft-lesson": {"kind": "notice"},
    "escalate": {"trigger": "media"},
    "fail-remedy": {"reason": "It never came."},
    "grant-compensation": {"kind": "voucher"},
    "hand-off": {"team": "back"},
    "hear-concern": {},
    "instant-remedy": {"apology": {"said": "regret"}, "remedy": {"remedy_kind": "refund"}},
    "invite-back": {"what": "dinner", "valid_until": "2030-01-01T00:00:00Z"},
    "join": {"role": "mechanic", "role_class": "back", "team": "workshop"},
    "keep-commitment": {"commitment_id": named_id("call")},
    "leave": {},
    "link-reference": {"kind": "crm", "value": "C-1042"},
    "make-commitment": {"what": "Call him.", "due_at": "2030-01-01T00:00:00Z"},
    "make-gesture": {"kind": "surprise"},
    "open": {},
    "open-budget": {
        "cost_centre": "care",
        "period": "2026-q4",
        "limit": {"amount": "100.00", "currency": "EUR"},
    },
    "promise-remedy": {"remedy_kind": "refund"},
    "publish-lesson": {},
    "raise-budget": {"limit": {"amount": "150.00", "currency": "EUR"}},
    "read-lesson": {"lesson_id": named_id("lesson")},
    "reassess": {"reason": "It is worse.", "severity": 4},
    "reconfirm-lesson": {},
    "record-absence": {"begins": "2030-01-01T00:00:00Z"},
    "record-expectation": {"topic": "freshness", "wish": "Ripe plums.", "importance": 5},
    "record-source-deadline": {"step": "response", "due_at": "2030-01-01T00:00:00Z", "standard": "source"},
    "refuse-request": {"reason": "safety", "alternative": "Another one."},
    "remove-obstacle": {"obstacle_id": named_id("rule"), "how": "fixed", "reason": "It is gone."},
    "reopen": {"cause": "recurrence"},
    "report-failure": {"what": "late", "description": "An hour."},
    "report-loss": {"basis": "told_us"},
    "report-obstacle": {"kind": "overload"},
    "report-treatment": {"treatment": "rude"},
    "request-information": {},
    "resolve": {},
    "retire-lesson": {},
    "reverse-compensation": {"compensation_id": named_id("voucher"), "reason": "Given twice."},
    "revise-lesson": {},
    "schedule-follow-up": {"due_at": "2030-01-01T00:00:00Z"},
    "set-capacity": {"points": 8},
    "set-contact-preferences": {},
    "set-naming-consent": {"given": True},
    "settle-escalation": {"how": "Called him."},
    "start-remedy": {},
    "state-satisfaction": {"instrument": "CSAT", "value": 5},
    "turn-down-offer": {"remedy_id": named_id("refund")},
    "update-customer": {"kind": "progress"},
    "waive-step": {"step": "apology", "reason": "trivial"},
    "welcome-back": {},
}
"""The least that each command needs: what a busy person would fill in."""


def free_strings(schema: dict[str, Any], defs: dict[str, Any], path: str) -> Iterator[str]:
    """Where this JSON Schema would take any words at all."""
    if "$ref" in schema:
        yield from free_strings(defs[schema["$ref"].rsplit("/", 1)[-1]], defs, path)
    elif "anyOf" in schema:
        for part in schema["anyOf"]:
            yield from free_strings(part, defs, path)
    elif schema.get("type") == "array":
        # A tuple without elements has no `items`, and nothing to say.
        yield from free_strings(schema["items"], defs, f"{path}[]") if "items" in schema else ()
    elif schema.get("type") == "object":
        yield from _free_in_object(schema, defs, path)
    elif schema.get("type") == "string":
        if not _bound(schema):
            yield path
    elif "type" not in schema and not {"enum", "const"} & set(schema):
        yield path


def _free_in_object(schema: dict[str, Any], defs: dict[str, Any], path: str) -> Iterator[str]:
    named, keyed = schema.get("properties", {}), schema.get("patternProperties", {})
    if schema.get("additionalProperties", False) is not False or not (named or keyed):
        yield path
    for name, field in named.items():
        yield from free_strings(field, defs, f"{path}.{name}")
    for pattern, field in keyed.items():
        yield from [path] if re.search(pattern, SENTENCE) else free_strings(field, defs, path)


def _bound(schema: dict[str, Any]) -> bool:
    if {"enum", "const"} & set(schema) or schema.get("format") in ("uuid", "date-time", "date"):
        return True
    return "pattern" in schema and re.search(schema["pattern"], SENTENCE) is None


def free_fields(event: type[Event]) -> list[str]:
    """The fields of this event that would take words and are not personal."""
    schema = event.model_json_schema(by_alias=False)
    personal = event.PERSONAL | event.COLLEAGUE
    return [
        free
        for name, field in schema.get("properties", {}).items()
        if name not in personal
        for free in free_strings(field, schema.get("$defs", {}), name)
    ]


def topics_table() -> str:
    """The page docs/topics.md, made from the kinds themselves."""
    lines = [
        "# Topics",
        "",
        "Every kind of event, made from the code by `tests/domain/test_every_kind.py`; do not edit it by hand.",
        "A service posts the CloudEvents type, or the body to `/v1/customers/{id}/<command>`. What `follows` is",
        "appended by the program itself; what is about the house (budgets, colleagues, lessons, standards) has",
        "addresses of its own. As a CloudEvent both answer `not_postable`.",
        "",
        "| topic | CloudEvents type | command | what it says |",
        "|---|---|---|---|",
    ]
    for topic, event in OURS.items():
        command = COMMAND_OF_TYPE.get(event.TYPE)
        order = f"`{command.PATH}`" if command else "follows"
        lines.append(f"| `{topic}` | `{event.TYPE}` | {order} | {_first_line(event)} |")
    return "\n".join([*lines, ""])


def _first_line(kind: type[BaseModel]) -> str:
    return (kind.__doc__ or "").strip().split("\n")[0]


def test_every_move_is_listed():
    files = {path.stem for path in Path(domain.moves.__file__).parent.glob("*.py")} - {"__init__"}
    assert sorted(files) == domain.moves.__all__


def test_every_composition_that_is_a_command_is_registered():
    assert OUR_COMMANDS["instant-remedy"].__module__ in {
        f"domain.compositions.{name}" for name in domain.compositions.__all__
    }


@pytest.mark.parametrize("topic", OURS)
def test_every_free_word_of_an_event_is_personal(topic):
    # A standard is the house's own document, open to whoever audits what was decided by it: decision 7.
    # So are the words of a lesson, which everybody is told: decision 9.
    open_to_all = {"standard.published": ["body"], **{key: ["title", "text"] for key in LESSONS}}
    assert free_fields(OURS[topic]) == open_to_all.get(topic, [])


def test_a_free_word_would_be_noticed():
    class Nested(BaseModel):
        note: str

    class Careless(Event):
        plain: str
        reference: CallerRef
        many: tuple[Words, ...]
        anything: dict[str, Any]
        nested: Nested | None
        loose: Annotated[str, "no pattern"] | None

    Careless.PERSONAL, Careless.COLLEAGUE = frozenset(), frozenset()
    found = free_fields(Careless)
    assert found == ["plain", "reference", "many[]", "anything", "nested.note", "loose"]


def test_what_may_stand_open_is_not_taken_for_words():
    class Careful(Event, topic="test.careful"):
        code: Code
        kind: Annotated[str, OneOf(("one", "other"))]
        choice: Literal["yes", "no"]
        said: Personal[Words] | None
        by: ColleaguePersonal[Words] | None

    try:
        assert free_fields(Careful) == []
    finally:
        del EVENTS["test.careful"]


@pytest.mark.parametrize("topic", OURS)
def test_every_topic_is_a_noun_and_a_participle_for_ever(topic):
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", topic)
    assert f"amends.{topic}.v{OURS[topic].VERSION}" == OURS[topic].TYPE


@pytest.mark.parametrize("kind", [*OURS.values(), *OUR_COMMANDS.values()], ids=lambda kind: kind.__name__)
def test_every_kind_says_what_it_is(kind):
    assert _first_line(kind).endswith((".", "?"))
    assert kind.__doc__ != kind.__mro__[1].__doc__


def test_personal_fields_stand_at_the_top_of_an_event():
    for event in OURS.values():
        for name in event.PERSONAL | event.COLLEAGUE:
            assert name in event.model_fields


def test_every_fact_that_may_be_posted_has_exactly_one_command():
    postable = [fact.TOPIC for command in OUR_COMMANDS.values() for fact in command.FACTS]
    assert len(postable) == len(set(postable))
    assert {topic for topic, event in OURS.items() if event.TYPE in COMMAND_OF_TYPE} == set(postable)


def test_the_facts_that_only_follow_are_exactly_these():
    assert {topic for topic, event in OURS.items() if event.TYPE not in COMMAND_OF_TYPE} == NOT_POSTABLE


def test_the_commands_without_a_fact_are_exactly_these():
    assert {path for path, command in OUR_COMMANDS.items() if not command.FACTS} == WITHOUT_A_FACT


def test_a_path_is_in_kebab_case():
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", path) for path in OUR_COMMANDS)


def smallest(path: str) -> RelationshipCommand:
    """The command of this path with the least that it needs."""
    command = OUR_COMMANDS[path].model_validate(SMALLEST[path])
    assert isinstance(command, RelationshipCommand)
    return command


@pytest.mark.parametrize("path", SMALLEST)
def test_the_least_that_a_command_needs_is_enough(path):
    assert OUR_COMMANDS[path].model_validate(SMALLEST[path])


@pytest.mark.parametrize("path", ON_CUSTOMERS)
def test_nothing_is_recorded_of_a_customer_who_was_forgotten(path):
    forgotten = reported().given(PersonalDataErased(request="r-1"))
    with refused("erased"):
        forgotten.when(smallest(path), importing=True)


@pytest.mark.parametrize("path", sorted(path for path, command in ON_CUSTOMERS.items() if not command.OPENS))
def test_nothing_is_recorded_of_a_customer_nobody_knows(path):
    with refused("unknown_ref"):
        story().when(smallest(path), importing=True)


def test_only_these_open_a_relationship():
    opening = {path for path, command in ON_CUSTOMERS.items() if command.OPENS}
    assert opening == {"instant-remedy", "make-gesture", "open", "report-failure"}


def test_all_topics_stand_in_the_docs():
    # After a change of kinds write the page anew: AMENDS_WRITE_DOCS=1 pytest tests/domain/test_every_kind.py
    if os.environ.get("AMENDS_WRITE_DOCS"):
        TOPICS.write_text(topics_table(), encoding="utf-8")
    assert TOPICS.read_text(encoding="utf-8") == topics_table()
