"""Real data and conformance vectors that lie beside the project; tests skip, saying so, where they are absent."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def data(name: str) -> Path:
    """The file or folder of this name under shared/data."""
    return _present("data", name)


def vectors(name: str) -> Path:
    """The folder of this name under shared/vectors."""
    return _present("vectors", name)


def design(name: str) -> Path:
    """The file of this name under shared/design."""
    return _present("design", name)


def _present(kind: str, name: str) -> Path:
    path = SHARED / kind / name
    if not path.exists():
        pytest.skip(f"shared/{kind}/{name} is not beside the project")
    return path
