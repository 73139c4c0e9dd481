"""Memorisation score of each training example."""
