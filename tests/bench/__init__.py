"""Measurements: ours against the raw limit, in one run on one database, rounds interleaved."""
