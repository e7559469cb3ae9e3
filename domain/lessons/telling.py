"""Telling: the words in which a story is told to people; programs read the codes."""

from collections.abc import Mapping
from typing import Any, Final

Phrases = str | Mapping[Any, str]
"""How one code of a step is said: a pattern for whatever it is, or the words for the values worth a word."""

WORDS: Final[Mapping[str, tuple[str, Mapping[str, Phrases]]]] = {
    "recovery.acknowledged": (
        "told the customer we are on it",
        {"channel": "by {}", "human": {False: "by machine"}},
    ),
    "recovery.handed_off": (
        "handed it over",
        {"context_shared": {True: "with all that was known", False: "without what was known"}},
    ),
    "concern.heard": (
        "listened",
        {
            "confirmed": {True: "and made sure of having understood"},
            "compassion": {
                "named_feeling": "naming the feeling",
                "practical_care": "taking care of what was needed at once",
                "time_given": "giving time",
                "privacy": "giving privacy",
            },
        },
    ),
    "customer.updated": (
        "said how things stand",
        {
            "kind": {
                "proactive": "before being asked",
                "delay": "that it takes longer",
                "result": "what came of it",
            },
            "human": {False: "by machine"},
        },
    ),
    "customer.contacted_again": (
        "the customer had to come back to us",
        {"channel": "by {}", "repeated_information": {True: "and to tell it all again"}},
    ),
    "information.requested": ("asked the customer for details", {"already_held": {True: "which we had already"}}),
    "apology.made": (
        "said sorry",
        {
            "said": {
                "none": "without saying for what",
                "admits": "admitting the fault",
                "admits_and_commits": "admitting the fault and promising better",
            },
            "feeling_named": {True: "naming the feeling"},
            "explanation": {"brief": "explaining in brief", "full": "explaining in full"},
            "accepted": {"accepted": "it was accepted", "rejected": "it was not accepted"},
        },
    ),
    "remedy.promised": ("promised a remedy", {"remedy_kind": "{}", "unasked": {True: "unasked"}}),
    "remedy.delivered": (
        "delivered the remedy",
        {
            "resolves": {"full": "all of it was put right", "partial": "a part was put right"},
            "how": {"sent": "on its way"},
        },
    ),
    "remedy.failed": ("the remedy did not work", {}),
    "request.refused": ("said no", {"reason": "because of: {}"}),
    "offer.turned_down": ("the customer turned our offer down", {}),
    "compensation.granted": (
        "granted something for the trouble",
        {"kind": "{}", "basis": {"goodwill": "out of goodwill"}, "timing": {"later": "for later"}},
    ),
    "compensation.delivered": ("handed over what was granted", {"late": {True: "late"}}),
    "return_invitation.issued": ("invited the customer back", {"what": "{}"}),
    "deadline.missed": ("missed the time for a step", {"step": "{}"}),
    "silence.noticed": ("the customer had heard nothing for too long", {}),
    "escalation.raised": ("called for more authority", {"trigger": "because of: {}"}),
    "escalation.settled": ("settled what more authority was called for", {}),
    "follow_up.completed": ("asked how it went", {"outcome": "{}"}),
    "satisfaction.stated": ("the customer told us how it felt", {}),
    "recovery.resolved": ("put right", {"how_code": "by {}", "first_contact": {True: "at the first contact"}}),
    "recovery.reopened": ("opened again", {"cause": "because of: {}"}),
    "recovery.closed": ("closed", {"outcome": "{}"}),
    "gesture.made": ("did more than duty asks", {"kind": "{}", "unasked": {True: "unasked"}}),
}
"""What is said of each kind of step, then of its codes in this order. A code that says nothing is not here."""
_SCALES: Final = {"CSAT": 5, "CES": 7, "NPS": 10}
_OUTCOMES: Final = {0: "dissatisfied", 1: "partly satisfied", 2: "satisfied"}
_ENDINGS: Final = {"satisfied": ", customer satisfied", "partly": ", customer partly satisfied"}


def title(kind: str, codes: Mapping[str, Any], steps: list[dict[str, Any]], outcome: str | None) -> str:
    """What a story is about, how it was put right and what the customer said in the end."""
    if kind == "gesture":
        return f"A gesture: {words(codes.get('kind', 'other'))}"
    how = _last(steps, "recovery.resolved").get("how_code")
    ending = f", put right by {words(how)}" if how else ", put right"
    said = _answer(_last(steps, "satisfaction.stated"))
    content = f", customer said {said}" if said else _ENDINGS.get(outcome or "", "")
    return f"{words(codes.get('what', 'other')).capitalize()}{ending}{content}"


def text(kind: str, codes: Mapping[str, Any], steps: list[dict[str, Any]]) -> str:
    """The whole story for people, a sentence a line."""
    return _gesture(codes) if kind == "gesture" else "\n".join(sentence(step) for step in steps)


def sentence(step: Mapping[str, Any]) -> str:
    """One step: +4 min: said sorry, naming the feeling (front)."""
    details: Mapping[str, Any] = step.get("details", {})
    head, phrases = WORDS.get(step["what"], (words(step["what"].replace(".", " ")), {}))
    if step["what"] == "satisfaction.stated" and (said := _answer(details)):
        head = f"the customer said {said}"
    more = (_phrase(phrases[name], details[name]) for name in phrases if name in details)
    by = f" ({step['by']})" if step["by"] else ""
    return f"{step['after']}: {', '.join(one for one in (head, *more) if one)}{by}"


def words(code: str) -> str:
    """A code as people write it."""
    return code.replace("_", " ").replace("-", " ")


def _phrase(phrases: Phrases, value: Any) -> str:
    if not isinstance(phrases, str):
        return phrases.get(value, "")
    return "" if value in ("other", "unknown") else phrases.format(words(str(value)))


def _last(steps: list[dict[str, Any]], what: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(
        (step.get("details", {}) for step in reversed(steps) if step["what"] == what), {}
    )
    return found


def _answer(details: Mapping[str, Any]) -> str | None:
    """The customer's answer in numbers or in one word; None where he gave words only."""
    instrument, value = details.get("instrument"), details.get("value")
    if value is None:
        return None
    if instrument == "OUTCOME":
        return _OUTCOMES.get(value)
    return f"{value} of {_SCALES[instrument]}" if instrument in _SCALES else None


def _gesture(codes: Mapping[str, Any]) -> str:
    degree = {1: "A small kindness", 2: "A considerable kindness", 3: "A great kindness"}
    spared = codes.get("avoided_contacts") or 0
    told = [
        degree.get(codes.get("degree", 1), "A kindness"),
        _phrase("{}", codes.get("kind", "other")),
        "unasked" if codes.get("unasked") else "when asked",
        f"it spared the customer {spared} contact{'s' * (spared != 1)}" if spared else "",
    ]
    return ", ".join(one for one in told if one) + "."
