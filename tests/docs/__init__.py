"""The documents: every command and sample in them does what they say."""
