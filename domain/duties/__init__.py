"""Duties: what passing time obliges us to do, and when next."""

from domain.duties.settling import next_due, next_due_of, settle

__all__ = ["next_due", "next_due_of", "settle"]
