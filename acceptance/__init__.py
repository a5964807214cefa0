"""Slow proofs: one command each, one JSON line, 0 only if it holds and could fail."""
