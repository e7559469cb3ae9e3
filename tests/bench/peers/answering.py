"""The peer's side of the talk: prepares work when told to, does it when told to go, and says how much it did.

Runs in the peers' own environment, so it imports nothing but the standard library. One JSON document a line:
{"prepare": name of a work, "round": number, "settings": {...}} is answered by {"ready": true}, and "go" by
{"done": how many}. A fault is answered by {"fault": what kind, and what it says}.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

Settings = Mapping[str, Any]
Work = Callable[[int, Settings], Callable[[], int]]
"""(round number, settings) -> prepared work, which gives how many things it did."""


def answer(works: Mapping[str, Work]) -> None:
    """Answers until nobody asks any more."""
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _say(answers, {"works": sorted(works)})
    prepared: Callable[[], int] | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "prepare" in asked:
                prepared = works[asked["prepare"]](asked["round"], asked["settings"])
                _say(answers, {"ready": True})
            elif prepared is not None:
                _say(answers, {"done": prepared()})
        except Exception as fault:  # noqa: BLE001 - whatever it is, whoever asked must be told
            _say(answers, {"fault": f"{type(fault).__name__}: {fault}"})


def _say(answers: TextIO, told: Mapping[str, Any]) -> None:
    answers.write(json.dumps(told) + "\n")
    answers.flush()
