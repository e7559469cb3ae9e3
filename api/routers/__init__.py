"""Routers turn JSON into commands and queries, and nothing else."""
