"""What is thorough in a soak is run by `make soak`."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent


def thorough() -> list[Path]:
    """The files whose tests try more when somebody soaks."""
    files = [path for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    return [path for path in files if "tests.support.soak" in path.read_text()]


def chosen(files: list[Path]) -> str:
    """The tests of these files that `make soak` chooses, a line for each."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--collect-only",
            "-q",
            "-m",
            "soak",
            "-p",
            "no:cacheprovider",
            *map(str, files),
        ],
        env=os.environ | {"AMENDS_SOAK": "1"},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_every_file_that_is_thorough_in_a_soak_is_run_by_it() -> None:
    files, lines = thorough(), chosen(thorough())
    assert len(files) > 5
    assert [path.name for path in files if f"/{path.name}::" not in lines] == []
