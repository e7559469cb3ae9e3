"""Duties: what passing time obliges us to do, and when next."""

from domain.duties.settling import next_due, settle

__all__ = ["next_due", "settle"]
