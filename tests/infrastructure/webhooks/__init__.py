"""Tests of how other systems are told."""
