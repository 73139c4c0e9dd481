"""Memorisation: how much of what a model knows of an example it knows from that example alone."""
