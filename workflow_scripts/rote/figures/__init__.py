"""The drawing of each figure: one module a figure, ``draw(metrics)`` in each from its file."""
