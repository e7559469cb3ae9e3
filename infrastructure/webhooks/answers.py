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


TOO_MUCH: Final = (429, 503)
"""Statuses by which a receiver may say, in Retry-After, how long he wants to be left alone."""


class Answer(NamedTuple):
    """What became of a delivery: the status that was answered, and what was wrong; nothing wrong: delivered.

    `retry_after` is what a receiver said who has too much to do.
    """

    status: int | None
    fault: Fault | None
    retry_after: str | None = None


def judged(status: int, retry_after: str | None = None) -> Answer:
    """What this status means."""
    if 200 <= status < 300:
        return Answer(status, None)
    if status == 410:
        return Answer(status, "gone")
    if 300 <= status < 400:
        return Answer(status, "redirect")
    return Answer(status, "status", retry_after if status in TOO_MUCH else None)
