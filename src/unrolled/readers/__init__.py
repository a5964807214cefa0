"""Readers: from a path to what a task learns from, with the place of every damage named."""
