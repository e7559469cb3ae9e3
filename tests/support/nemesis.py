"""The nemesis: crashes servers, workers and the database at moments that chance chooses, and starts them again."""

import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.support.databases import IMMEDIATE, Server
from tests.support.load import Answer, Load
from tests.support.posts import Batch, Post
from tests.support.processes import Process, Serving


@dataclass
class Nemesis:
    """Who may be crashed. `crashed` counts what was, by kind."""

    chance: random.Random
    servers: Sequence[Serving]
    workers: Sequence[Process]
    database: Server | None = None
    """Absent for SQLite, which has no process of its own."""
    crashed: Counter[str] = field(default_factory=Counter)

    @property
    def kinds(self) -> dict[str, Callable[[], None]]:
        """What it can do."""
        known = {
            "server killed": lambda: self._kill(self.servers),
            "worker killed": lambda: self._kill(self.workers),
        }
        if self.database is not None:
            known["database stopped at once"] = lambda: self._crash(IMMEDIATE)
            known["database killed"] = lambda: self._crash(signal.SIGKILL)
        return known

    def some(self, rounds: int) -> list[str]:
        """So many kinds of crash in random order, each about as often as any other."""
        kinds = [kind for _ in range(rounds) for kind in self.kinds][:rounds]
        self.chance.shuffle(kinds)
        return kinds

    def strike(self, kind: str) -> None:
        """Crashes one of this kind and starts it again."""
        self.kinds[kind]()
        self.crashed[kind] += 1

    def during(
        self, load: Load, posts: Sequence[Post | Batch], kinds: Sequence[str], spare: int = 16
    ) -> list[Answer]:
        """The answers to these posts, with a crash of each kind after some number of them had come."""
        # Not so late that nobody is left to be hurt.
        moments = sorted(self.chance.sample(range(1, len(posts) - spare), len(kinds)))
        load.start(posts)
        for answers, kind in zip(moments, kinds, strict=True):
            load.wait_for(answers)
            self.strike(kind)
        return load.finish()

    def _kill(self, processes: Sequence[Process]) -> None:
        one = self.chance.choice(processes)
        one.kill()
        one.start()

    def _crash(self, how: signal.Signals) -> None:
        assert self.database is not None
        self.database.crash(how)
        self.database.start()
