"""Tests, mirroring the folders they test."""
