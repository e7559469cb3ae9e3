"""Tests of infrastructure/."""
