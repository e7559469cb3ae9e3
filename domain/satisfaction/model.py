"""The fold of `amends-sat/1`: one fact after the other.

Other kinds (losing and winning back a customer, follow-up bookkeeping, lessons) leave the sum as it is.
"""

from domain.kinds import Fact
from domain.satisfaction import failures, healing, relationship
from domain.satisfaction.rules import RULES
from domain.satisfaction.running import Running
from domain.satisfaction.score import Score
from domain.satisfaction.terms import Term

# Importing them fills the table.
__all__ = ["failures", "healing", "relationship", "step"]


def step(score: Score, fact: Fact) -> tuple[Score, tuple[Term, ...]]:
    """The score after one more fact, and its terms in order; 7000 + all terms so far = `total`."""
    kind = type(fact.event)
    rule = RULES.get(kind)
    if rule is None:
        return score, ()
    running = Running(score, kind.__name__)
    rule(running, fact.event, fact)
    return running.finished(), tuple(running.terms)
