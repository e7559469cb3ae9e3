"""Tests of what the house learns by itself."""
