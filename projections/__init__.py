"""One file per read model: its tables, how events change them, how they are asked."""
