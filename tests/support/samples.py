"""The samples in our documents, taken out and run as a reader would run them, one after the other in one shell."""

import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
RUN: Final = ("bash", "console", "python")
PATIENCE_SECONDS: Final = 600
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OURSELVES: Final = re.compile(r"(make|apt-get) ")
_VARYING: Final = (
    re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)"),
    re.compile(r"[0-9a-f]{64}"),
)


@dataclass(frozen=True)
class Sample:
    """One fenced block: its language, its text, and the line on which its text begins."""

    kind: str
    text: str
    line: int

    @property
    def ourselves(self) -> bool:
        """Whether it sets the project up: looked at, since running it here would run us again."""
        return self.kind == "bash" and _OURSELVES.match(self.text) is not None


def documents() -> list[str]:
    """Every document of ours that holds samples, by its path from the root."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    wanted = {*RUN, "json", "sql"}
    return sorted(str(one.relative_to(ROOT)) for one in found if any(s.kind in wanted for s in samples(one)))


def samples(path: Path) -> list[Sample]:
    """The fenced blocks of a document, in order."""
    text = path.read_text(encoding="utf-8")
    return [Sample(found[1], found[2], text[: found.start(2)].count("\n") + 1) for found in _FENCE.finditer(text)]


@dataclass(frozen=True)
class Step:
    """A command of a script, and the lines it must print; None where the document shows none."""

    sample: Sample
    command: str
    expected: str | None


def steps(told: Sequence[Sample]) -> Iterator[Step]:
    """What is run, in order: a bash block whole, a console block command by command, Python by itself."""
    for sample in told:
        if sample.kind == "console":
            yield from _console(sample)
        elif sample.kind == "python":
            yield Step(sample, f"python - <<'END OF SAMPLE'\n{sample.text}END OF SAMPLE", None)
        elif sample.kind == "bash" and not sample.ourselves:
            yield Step(sample, sample.text, None)


def _console(sample: Sample) -> Iterator[Step]:
    for part in re.split(r"^\$ ", sample.text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        yield Step(sample, command, expected)


class SampleFailed(AssertionError):
    """A sample does not do what its document says."""

    def __init__(self, sample: Sample, why: str) -> None:
        super().__init__(f"line {sample.line}: {why}")


def run(told: Sequence[Sample], folder: Path, environment: Mapping[str, str]) -> None:
    """Runs the samples in a shell in this folder. Raises SampleFailed for one that fails or says otherwise."""
    out = folder / ".out"
    out.mkdir()
    todo = list(steps(told))
    code = _shell(todo, folder, out, environment)
    done = [step for n, step in enumerate(todo) if (out / f"{n}").exists()]
    if code != 0:
        raise SampleFailed(done[-1].sample, f"exit code {code}: {_said(out, len(done) - 1)}")
    for n, step in enumerate(todo):
        if step.expected is not None and not same_lines(step.expected, _said(out, n)):
            raise SampleFailed(step.sample, f"`{step.command}` said {_said(out, n)!r}")
    _compare_json(told, todo, out)


def _shell(todo: Sequence[Step], folder: Path, out: Path, environment: Mapping[str, str]) -> int:
    script = "".join(_scripted(step, out / str(n)) for n, step in enumerate(todo))
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that what a sample leaves running can be ended with it
    )
    try:
        return process.wait(PATIENCE_SECONDS)
    finally:
        _end(process.pid)
        process.wait()


def _end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return  # nothing was left running


def _scripted(step: Step, out: Path) -> str:
    into = f"exec >{shlex.quote(str(out))} 2>&1"
    if step.sample.kind == "console":
        # It may show a failing command, and in the next one its `$?`.
        return f"_code=$?; set +eu; {into}; (exit $_code)\n{step.command}\n"
    return f"set -euo pipefail; {into}\n{step.command}\n"


def _said(out: Path, n: int) -> str:
    return (out / str(n)).read_text(encoding="utf-8")


def _compare_json(told: Sequence[Sample], todo: Sequence[Step], out: Path) -> None:
    said: str | None = None
    numbers = {id(step.sample): n for n, step in enumerate(todo)}
    for sample in told:
        if sample.kind in RUN and id(sample) in numbers:
            said = _said(out, numbers[id(sample)])
        elif sample.kind == "json":
            expected = json.loads(sample.text)
            if said is None or not same(expected, last_json(said)):
                raise SampleFailed(sample, f"the answer was {said}")


def last_json(text: str) -> Any:
    """The last JSON document in the text; None when there is none."""
    decoder, found, at = json.JSONDecoder(), None, 0
    while (at := text.find("{", at)) >= 0:
        try:
            found, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            at += 1
    return found


def same(expected: Any, found: Any) -> bool:
    """Whether the answer holds all that is shown; it may hold more. Ids, times and hashes only need their form."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            name in found and same(value, found[name]) for name, value in expected.items()
        )
    if isinstance(expected, list):
        others = iter(found if isinstance(found, list) else ())
        return all(any(same(one, other) for other in others) for one in expected)
    if isinstance(expected, str) and isinstance(found, str):
        forms = (form for form in _VARYING if form.fullmatch(expected))
        return expected == found or any(form.fullmatch(found) for form in forms)
    return bool(expected == found)


def same_lines(expected: str, found: str) -> bool:
    """Whether these lines were printed; `...` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, found, re.DOTALL) is not None
