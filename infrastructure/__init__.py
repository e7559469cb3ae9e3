"""Everything that touches disk, socket and clock."""
