"""The figures, drawn from their metrics alone: one module a figure, with ``draw(metrics)``.

``style`` holds the look that all share, ``captions`` what stands below each of them in the report
and in the gallery.
"""
