"""Colleagues: who helps customers here, in which role, with what training, and which help they ask for."""

from domain.colleagues import asking, authority, naming, post, training, workload

__all__ = ["asking", "authority", "naming", "post", "training", "workload"]
