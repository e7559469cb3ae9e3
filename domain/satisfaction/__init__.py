"""Satisfaction `amends-sat/1`: an explainable sum of what happened, and of what the customer said.

A pure fold of one relationship's facts: hundredths of a point, floor division, no clock, no randomness.
The figures are assumptions ordered by research, not measurements; the customer's own word re-anchors the sum.
"""

from typing import Final

from domain.satisfaction.justice import Justice, justice, recovery_satisfaction
from domain.satisfaction.model import step
from domain.satisfaction.score import RecoveryScore, Score, Stated
from domain.satisfaction.terms import START_TOTAL, Band, Term, band

MODEL: Final = "amends-sat/1"
"""The name of these rules. Other rules are another model beside this one, never a change of it."""
START: Final = Score()
"""The score of a relationship of which nothing is recorded yet."""

__all__ = [
    "MODEL",
    "START",
    "START_TOTAL",
    "Band",
    "Justice",
    "RecoveryScore",
    "Score",
    "Stated",
    "Term",
    "band",
    "justice",
    "recovery_satisfaction",
    "step",
]
