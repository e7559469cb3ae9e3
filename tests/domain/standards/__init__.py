"""Specifications of the standards: what the house allows, promises and advises."""
