"""Webhooks: telling other systems, at addresses of theirs, that something was recorded."""
