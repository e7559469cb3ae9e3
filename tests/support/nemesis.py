"""The nemesis: crashes servers, workers and the database at moments that chance chooses, and starts them again."""

import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from tests.support.databases import IMMEDIATE, Server
from tests.support.load import Answer, Load
from tests.support.posts import Batch, Post
from tests.support.processes import Process, Serving

SPARE: Final = 32
"""So many posts of a share are unanswered yet when something crashes."""


def shares(posts: Sequence[Post | Batch], number: int) -> list[Sequence[Post | Batch]]:
    """These posts in so many parts of about the same size, in order."""
    ends = [n * len(posts) // number for n in range(number + 1)]
    return [posts[begin:end] for begin, end in pairwise(ends)]


@dataclass
class Nemesis:
    """Who may be crashed. `crashed` counts what was, by kind."""

    chance: random.Random
    servers: Sequence[Serving]
    workers: Sequence[Process]
    database: Server | None = None
    """Absent for SQLite, which has no process of its own."""
    crashed: Counter[str] = field(default_factory=Counter)
    at_work: int = 0
    """How often somebody was being served when it struck."""

    @property
    def kinds(self) -> dict[str, Callable[[], None]]:
        """What it can do."""
        known = {
            "server killed": lambda: self._kill(self.servers),
            "worker killed": lambda: self._kill(self.workers),
            "server and worker killed": lambda: self._kill(self.workers, self.servers),
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

    def during(self, load: Load, posts: Sequence[Post | Batch], kinds: Sequence[str]) -> list[Answer]:
        """The answers to these posts, each share of which was under way when one of each kind crashed.

        In shares, as to start a process again takes long enough for the others to answer everything there is.
        """
        answers: list[Answer] = []
        for kind, share in zip(kinds, shares(posts, len(kinds)), strict=True):
            load.start(share)
            # Not so late that nobody is left to be hurt.
            load.wait_for(self.chance.randrange(1, max(2, len(share) - SPARE)))
            self.at_work += load.working
            self.strike(kind)
            answers += load.finish()
        return answers

    def _kill(self, *groups: Sequence[Process]) -> None:
        """Kills one of each of these groups, and starts them in this order only when all of them are dead."""
        chosen = [self.chance.choice(processes) for processes in groups]
        for one in chosen:
            one.kill()
        for one in chosen:
            one.start()

    def _crash(self, how: signal.Signals) -> None:
        assert self.database is not None
        self.database.crash(how)
        self.database.start()
