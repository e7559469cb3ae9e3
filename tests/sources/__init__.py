"""The five sources of the practices, played over HTTP: docs/practices.md is made from the names of these tests."""
