"""Everything that faces outward: HTTP, command line, worker."""
