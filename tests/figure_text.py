"""What a figure says."""

from matplotlib.figure import Figure
from matplotlib.text import Text


def all_text(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))
