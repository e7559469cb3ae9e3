"""Tests of the recovery moves, one file each."""
