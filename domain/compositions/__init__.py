"""Compositions: commands made of several moves. Importing this registers them."""

from domain.compositions import instant_remedy

__all__ = ["instant_remedy"]
