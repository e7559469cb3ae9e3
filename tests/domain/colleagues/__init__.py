"""Tests of the rules about colleagues."""
