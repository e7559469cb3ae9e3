"""Granting: who may give what goes beyond what was owed, alone or with a second voice, and out of which budget."""
