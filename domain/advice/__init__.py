"""Advice: what to do next, what to know before, and why a customer should stay. It decides nothing."""
