"""Tests of the importers, on real files where they are present."""
