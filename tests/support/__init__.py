"""What tests share: builders, given-when-then, real databases, shared data."""
