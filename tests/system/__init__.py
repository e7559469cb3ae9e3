"""Tests of whole processes: several at once, and killed without warning."""
