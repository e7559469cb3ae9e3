"""The command line, verb by verb, as an operator and as a script sees it."""
