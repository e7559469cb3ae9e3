"""The processes that tests start: a signal that comes too late is none."""

import os
from pathlib import Path
from signal import SIGKILL
from typing import Final

from tests.support.forks import Fork

WAITING: Final = "import time; time.sleep(60)"


def killed_again_and_again(fork: Fork) -> int:
    """Its exit code, when it was told to end for as long as it seemed to be there."""
    try:
        while fork.running:
            fork.send(SIGKILL)
        return fork.wait(60)
    finally:
        fork.end()


def test_a_signal_may_be_sent_until_the_end_is_known(tmp_path: Path) -> None:
    # Ten, as about every other one is sent a signal between its end and the moment we hear of it.
    forks = [Fork(WAITING, (), os.environ, tmp_path, tmp_path / "errors") for _ in range(10)]
    assert [killed_again_and_again(fork) for fork in forks] == [-SIGKILL] * 10
