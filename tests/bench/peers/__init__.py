"""Peers: other event stores in an environment of their own, each a child process that works in its turn."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import make_url

from tests.bench.rounds import Contender, NotHere

SCRIPTS: Final = Path(__file__).parent
LOCK: Final = SCRIPTS / "requirements.lock"
HOME: Final = Path(__file__).resolve().parents[3] / "build" / "peers"
"""The peers' environment. Never ours: they pin other versions of what we use."""
READY: Final = HOME / ".ready"
NAMES: Final[Mapping[str, str]] = {
    "stock": "eventsourcing",
    "eventsource-py": "eventsource-py",
    "umadb": "umadb",
}
"""What a peer is called here, and its distribution. Its script has its name."""
PATIENCE_SECONDS: Final = 600.0
"""A peer that says nothing for so long is ended."""


class Peer:
    """One peer. Its process starts with the first work, and ends with `close`.

    `settings` of a work go to it as they are: numbers, texts and lists.
    """

    def __init__(self, name: str, url: str, folder: Path) -> None:
        self._name, self._url = name, url
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[str] | None = None

    def contender(self, work: str, settings: Callable[[int], Mapping[str, Any]]) -> Contender:
        """The peer doing this work, with settings made anew for each round. Raises NotHere when it cannot."""

        def prepare(number: int) -> Callable[[], int]:
            self._ask({"prepare": work, "round": number, "settings": dict(settings(number))})
            return lambda: int(self._ask({"go": True})["done"])

        return prepare

    def close(self) -> None:
        """Ends its process."""
        if self._process is None:
            return
        process, self._process = self._process, None
        with suppress(BrokenPipeError):  # it ended before
            process.stdin.close()  # type: ignore[union-attr]
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()  # type: ignore[union-attr]

    def _ask(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        process = self._running()
        try:
            process.stdin.write(json.dumps(asked) + "\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
        except OSError:
            raise NotHere(f"it ended: {self._last_words()}") from None
        return self._answer(process)

    def _answer(self, process: "subprocess.Popen[str]") -> dict[str, Any]:
        watch = threading.Timer(PATIENCE_SECONDS, process.kill)
        watch.start()
        try:
            line = process.stdout.readline()  # type: ignore[union-attr]
        finally:
            watch.cancel()
        if not line:
            raise NotHere(f"it ended: {self._last_words()}")
        told: dict[str, Any] = json.loads(line)
        if "fault" in told:
            raise NotHere(str(told["fault"])[:300])
        return told

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None:
            why = why_absent()
            if why is not None:
                raise NotHere(why)
            self._process = self._started()
            self._answer(self._process)
        return self._process

    def _started(self) -> "subprocess.Popen[str]":
        script = SCRIPTS / f"{self._name.replace('-', '_')}_peer.py"
        url = make_url(self._url).set(drivername="postgresql").render_as_string(hide_password=False)
        with self._log.open("w", encoding="utf-8") as log:
            return subprocess.Popen(
                [HOME / "bin" / "python", script, url, str(self._log.parent)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )

    def _last_words(self) -> str:
        said = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return said[-1][:300] if said else "without a word"


def install() -> None:
    """Makes the peers' environment from their lock, unless it is there already."""
    if why_absent() is None:
        return
    READY.unlink(missing_ok=True)
    # The interpreter under our own environment: an environment made from an environment breaks with it.
    python = getattr(sys, "_base_executable", sys.executable)
    steps = (
        [python, "-m", "venv", "--clear", str(HOME)],
        [str(HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        + ["--require-hashes", "-r", str(LOCK)],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or ["without a word"]
            HOME.mkdir(parents=True, exist_ok=True)
            (HOME / ".failed").write_text(said[-1][:300], encoding="utf-8")
            return
    READY.write_text(LOCK.read_text(encoding="utf-8"), encoding="utf-8")


def why_absent() -> str | None:
    """Why there are no peers here; None when there are."""
    if not READY.exists():
        failed = HOME / ".failed"
        if failed.exists():
            return f"not installed: {failed.read_text(encoding='utf-8')}"
        return "not installed: `make bench` does it"
    if READY.read_text(encoding="utf-8") != LOCK.read_text(encoding="utf-8"):
        return "not installed as locked: `make bench` does it"
    return None


def versions() -> dict[str, str]:
    """What the lock pins of each peer, or why it is not here."""
    why = why_absent()
    pinned = dict(
        line.split(" ")[0].split("==")
        for line in LOCK.read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    )
    return {name: why or f"{package} {pinned[package]}" for name, package in NAMES.items()}
