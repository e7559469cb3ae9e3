"""The rules of service recovery: pure, without disk, clock or chance."""
