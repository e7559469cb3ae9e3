"""Specifications of advice: the next step, the brief, the reason to stay."""
