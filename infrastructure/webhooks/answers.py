"""Answers: what became of a delivery, by the status of the receiver's answer. Its words are not kept."""

from typing import Final, Literal, NamedTuple

WITHIN_SECONDS: Final = 10.0
"""From the look-up of the receiver's name to the last byte of his answer."""
Fault = Literal[
    "status",
    "redirect",
    "gone",
    "timeout",
    "unreachable",
    "tls",
    "address_refused",
    "broken_answer",
    "internal",
    "newer_program_needed",
]


class Answer(NamedTuple):
    """What became of a delivery: the status that was answered, and what was wrong; nothing wrong: delivered."""

    status: int | None
    fault: Fault | None


def judged(status: int) -> Answer:
    """What this status means."""
    if 200 <= status < 300:
        return Answer(status, None)
    if status == 410:
        return Answer(status, "gone")
    return Answer(status, "redirect" if 300 <= status < 400 else "status")
