"""How pixels become the inputs of models, and what a grey level is in those.

A pixel x, from 0 (black) to 1 (white), becomes

- ``unit``: x;
- ``standardized``: (x − mean) / std, over all pixels of the data set's training part;
- ``per_channel``: (x − mean) / std, over the training part's pixels of its own channel;
- ``per_image``: (x − mean) / max(std, 1/√n), over the n numbers of its own image, all channels
  together, whether it is trained on, validated on, or noise. So Zhang et al. 2017 (appendix A)
  prepare CIFAR-10, after a crop to 28×28; the divisor's bound is that of TensorFlow's
  ``tf.image.per_image_standardization``. It keeps images of one grey level from division by 0.

Mean and standard deviation are those of all images of the training part, whichever of them an
experiment trains on: so every draw of examples, of any number, has the same inputs for an image.

Lengths in grey levels, such as the radius of the search for critical samples, are multiplied by
what a grey level is in inputs: a number, or one a channel, or one an image.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from rote.machine.errors import UserError

PER_GREY_LEVEL = "inputs_per_grey_level"


class Moments(NamedTuple):
    """What a mean and a standard deviation are computed from: exact sums, one a channel."""

    count: int  # of pixels of a channel
    sums: list[int]
    squares: list[int]

    @classmethod
    def of(cls, parts: Iterable[np.ndarray]) -> "Moments":
        """Return those of images (images, channels, rows, columns), whole numbers, in parts."""
        count, sums, squares = 0, 0, 0
        for part in parts:
            pixels = part.swapaxes(0, 1).reshape(part.shape[1], -1).astype(np.int64)
            count += pixels.shape[1]
            sums = sums + pixels.sum(1)
            squares = squares + np.einsum("ci,ci->c", pixels, pixels)
        return cls(count, sums.tolist(), squares.tolist())

    def mean_and_std(self, channels: slice = slice(None)) -> tuple[float, float]:
        """Return mean and standard deviation over all pixels of some channels."""
        sums, squares = self.sums[channels], self.squares[channels]
        n, total = len(sums) * self.count, sum(sums)
        variance = (n * sum(squares) - total**2) / n**2  # in whole numbers: nothing cancels
        return total / n, variance**0.5


class Scaling(NamedTuple):
    """From a pixel x in [0, 1] to an input: factor·x + offset, then perhaps each image by itself.

    Args:
        factor: a number, or (channels, 1, 1).
        offset: the same.
        each_image: whether each image is then standardised by itself.
        mean: of all training pixels, in [0, 1].
        std: their standard deviation.
        channels: mean and standard deviation of the pixels of each channel, (2, channels, 1, 1).
    """

    factor: float | np.ndarray
    offset: float | np.ndarray
    each_image: bool
    mean: float
    std: float
    channels: np.ndarray

    @classmethod
    def of(cls, name: str, moments: Moments, white: int, dataset: str) -> "Scaling":
        """Return a scaling by its name in the configuration.

        Args:
            name: ``unit``, ``standardized``, ``per_channel`` or ``per_image``.
            moments: those of the images of the training part.
            white: the number that is white.
            dataset: the name of the data set.

        Raises:
            UserError: all pixels, or all of a channel that is to be standardised, are equal.
        """
        mean, std = (value / white for value in moments.mean_and_std())
        if not std > 0:
            raise UserError(f"{dataset}: all training pixels are equal; check the images.")
        count = len(moments.sums)
        of_channels = [moments.mean_and_std(slice(c, c + 1)) for c in range(count)]
        channels = own_mean, own_std = np.array(of_channels).T[..., None, None] / white
        factor, offset = 1.0, 0.0
        if name == "standardized" or (name == "per_channel" and count == 1):
            factor, offset = 1 / std, -mean / std
        elif name == "per_channel":
            if not own_std.all():
                raise UserError(
                    f"{dataset}: all training pixels of a channel are equal; check the images, or "
                    "set scaling to standardized or per_image."
                )
            factor, offset = 1 / own_std, -own_mean / own_std
        return cls(factor, offset, name == "per_image", mean, std, channels)

    @property
    def packed(self) -> bool:
        """Whether inputs are whole numbers times one number plus another, as CF packs them."""
        return not (self.each_image or np.ndim(self.factor))

    def attributes(self) -> dict[str, float | np.ndarray]:
        """Return what a noised data set says of its scaling: each a number, or one a channel.

        ``input_mean`` and ``input_std`` are those of all training pixels, ``channel_mean`` and
        ``channel_std`` those of each channel, after scaling: of Gaussian noise, that is. (That each
        image is scaled by itself comes after.) Without ``inputs_per_grey_level`` there is one an
        image, see :func:`per_grey_level`.
        """
        known = {
            PER_GREY_LEVEL: self.factor / 255,
            "input_mean": self.mean * self.factor + self.offset,
            "input_std": self.std * self.factor,
            "channel_mean": self.channels[0] * self.factor + self.offset,
            "channel_std": self.channels[1] * self.factor,
        }
        if self.each_image:
            del known[PER_GREY_LEVEL]
        return {k: np.ravel(v) if np.ndim(v) else v for k, v in known.items()}


def standardize_each(images: np.ndarray) -> np.ndarray:
    """Standardise each image by itself, in place, and return what a grey level is in each.

    Args:
        images: (images, channels, rows, columns), float32, 0 black and 1 white.

    Returns:
        (images,), float64.
    """
    numbers = images[0].size
    images -= images.mean((1, 2, 3), dtype=np.float64, keepdims=True)
    square = np.einsum("icrk,icrk->i", images, images, dtype=np.float64)
    divisor = np.maximum(np.sqrt(square / numbers), numbers**-0.5)
    images /= divisor[:, None, None, None]
    return 1 / (255 * divisor)


def scale_noise(drawn: np.ndarray, attributes: Mapping, of: str = "input") -> np.ndarray | None:
    """Make noise of standard normal numbers, in place.

    Args:
        drawn: (images, channels, rows, columns), float32.
        attributes: those of the noised data set.
        of: whose moments it has: ``input``, those of all pixels, or ``channel``, of each channel.

    Returns:
        What a grey level is in each image, (images,), where each is standardised by itself; else
        None: it is what it is in the training inputs.
    """
    mean, std = (
        np.reshape(attributes[name], (-1, 1, 1)).astype(np.float32)  # of all channels, or of each
        for name in (f"{of}_mean", f"{of}_std")
    )
    drawn *= std
    drawn += mean
    return None if PER_GREY_LEVEL in attributes else standardize_each(drawn)


def per_grey_level(noised: xr.Dataset, prefix: str = "") -> np.ndarray:
    """Return what a grey level is in inputs of a noised data set.

    Args:
        noised: a dataset of ``rote.data.noising``: with its pool, or one draw of the examples; for
            noise, a single draw of it.
        prefix: of ``image``: empty for real inputs, ``validation_`` or ``noise_``.

    Returns:
        A number, (); or, broadcasting to flat inputs, one a feature (features,) or one an image
        (images, 1).
    """
    if f"{prefix}{PER_GREY_LEVEL}" in noised:
        return noised[f"{prefix}{PER_GREY_LEVEL}"].values[:, None]
    scale = np.asarray(noised.attrs[PER_GREY_LEVEL])
    pixels = noised.sizes["row"] * noised.sizes["column"]
    return np.repeat(scale, pixels) if scale.ndim else scale
