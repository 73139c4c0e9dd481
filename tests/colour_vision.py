"""How colours look to others: in grey, and to the colour-blind."""

import numpy as np
from matplotlib.colors import to_rgb

# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB.
COLOUR_BLIND = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
VISIONS = {"all cones": np.eye(3), **COLOUR_BLIND}
# Linear sRGB to XYZ (IEC 61966-2-1), relative to white (D65).
XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
) / np.array([[0.9505], [1.0], [1.089]])


def lab(colour: str | tuple, vision: str = "all cones") -> np.ndarray:
    """Return the CIELAB coordinates of a colour as someone sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(VISIONS[vision]) @ linear, 0, 1)
    x, y, z = np.cbrt(np.maximum(XYZ @ seen, 0.008856))  # below, which is nearly black, all alike
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def lightness(colour: str | tuple) -> float:
    """Return L*, from 0 (black) to 100 (white): all that grey keeps of a colour."""
    return float(lab(colour)[0])


def difference(one: str | tuple, other: str | tuple, vision: str) -> float:
    """Return ΔE, the distance of two colours in CIELAB, as someone sees them."""
    return float(np.linalg.norm(lab(one, vision) - lab(other, vision)))
