"""Importers: other systems' files, told as commands; what a file does not hold is not invented."""
