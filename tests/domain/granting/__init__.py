"""The rules of granting: authority, limits, budgets, and the second voice."""
