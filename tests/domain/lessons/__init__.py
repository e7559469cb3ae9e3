"""The rules of lessons, without any adapter."""
