"""Every recovery move, one file each. A new kind = a new file here and one word in this list."""

from domain.moves import apology, failure

__all__ = ["apology", "failure"]
