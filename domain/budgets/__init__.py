"""Budgets: how much goodwill may cost in a while, so that no number of grants at once can overspend."""
