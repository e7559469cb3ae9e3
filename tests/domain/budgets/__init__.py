"""Budgets: periods, what is drawn on them, and what the house decides about them."""
