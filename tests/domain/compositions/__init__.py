"""Commands made of several moves."""
