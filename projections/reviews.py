"""Reviews: which of our own rules their owners should look at, and by when (D10)."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from domain.counting import Met
from domain.duties.reviews import review_due
from domain.publishing import Publication
from projections.base import Source
from projections.obstacles import Obstacles, obstacles


def reviews_due(source: Source, published: Iterable[Publication], as_of: datetime) -> dict[str, datetime]:
    """By when each rule that stood in the way too often should be looked at, by its id; late ones too."""
    reviewed = {
        one.name: [review.at for review in one.reviews if review.at <= as_of]
        for one in published
        if one.kind == "rule"
    }
    due = {rule: review_due(met, reviewed.get(rule, [])) for rule, met in _blocks(source, as_of).items()}
    return {rule: at for rule, at in due.items() if at is not None}


def _blocks(source: Source, as_of: datetime) -> dict[str, list[Met]]:
    """Every block by a rule of which somebody said which one it was."""
    of = obstacles.c
    query = select(of.rule_id, of.position, of.occurred_at).where(*source.of(Obstacles, obstacles))
    query = query.where(of.rule_id.is_not(None), of.occurred_at <= as_of)
    found: dict[str, list[Met]] = {}
    for row in source.conn.execute(query):
        found.setdefault(row.rule_id, []).append(Met(row.position, row.occurred_at))
    return found
