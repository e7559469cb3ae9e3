"""Lessons: what the house tells all who work in it, from the first draft to the last receipt.

One stream a lesson: `lesson.drafted` -> `approved` -> `published`, then `revised` (approved and published again),
`reconfirmed`, `retired`. Receipts (`lesson.read`, `lesson.acknowledged`) stand with the colleague.

`DraftLesson` takes `kind` (lesson, case_study, notice, improvement, recognition, experience, digest) and

* either `title` and `text`, words of the house that name nobody,
* or `from_recovery: {customer_id, recovery_id}`: the words are then drawn up from what is recorded of that
  recovery (drafting.py), whoever orders it; given `title` or `text` take the place of those;
* `topic`, a code of what it is about, such as the similarity key of what happened three times;
* `trigger`, the id of the event that gave rise to it. One draft of a kind for each trigger: the second is refused
  as `already_exists`. Where the trigger is an event of that customer, the story ends with it, whenever it is told.

The program itself posts it so, on no stream (a new one is begun), at the trigger's `occurred_at`:
`Order(DraftLesson(kind="case_study", from_recovery=FromRecovery(...), trigger=event_id), stream=None,
actor=AMENDS, source="amends:duties", key=f"D8:{event_id}:case_study", occurred_at=...)`.
"""

from domain.lessons import commands, events, receipts

__all__ = ["commands", "events", "receipts"]
