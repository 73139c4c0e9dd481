"""The sizes of a CNN and of its layers. Numbers alone: the rules, too, need them.

What is computed with them stands in :mod:`rote.models.cnn`.
"""

from typing import NamedTuple

from rote.machine.errors import UserError


class Planes(NamedTuple):
    """The sizes of a convolutional layer, each (channels, height, width)."""

    entering: tuple[int, int, int]
    convolved: tuple[int, int, int]
    pooled: tuple[int, int, int]


class Architecture(NamedTuple):
    """The sizes of a CNN; the defaults are those of the paper.

    Args:
        image: (channels, height, width) of the inputs.
        classes: number of logits.
        maps: feature maps of each convolution.
        dense: units of each dense layer before the logits.
        crop: pixels that are cut off on every side.
        kernel: height and width of the filters; there is no padding.
        pool: height and width, and stride, of the max-pooling; an incomplete window is dropped.
    """

    image: tuple[int, int, int]
    classes: int
    maps: tuple[int, ...] = (200, 200)
    dense: tuple[int, ...] = (384, 192)
    crop: int = 2
    kernel: int = 5
    pool: int = 3

    smallest_batch = 2  # a single example has no variance to be normalised by

    @classmethod
    def of(cls, settings: dict, image: tuple[int, int, int], classes: int) -> "Architecture":
        """Return the sizes from ``maps`` (of each of two convolutions) and ``dense``."""
        maps, dense = (settings["maps"],) * 2, tuple(settings["dense"])
        return cls(image, classes, maps, dense, crop=0)

    @property
    def filters_shape(self) -> tuple[int, int, int, int]:
        """The shape of the filters of the first layer, (maps, channels, kernel, kernel)."""
        return self.maps[0], self.image[0], self.kernel, self.kernel

    @property
    def smallest(self) -> int:
        """The height and width of the smallest image that leaves a pixel in every layer."""
        side = 1
        for _ in self.maps:
            side = side * self.pool + self.kernel - 1
        return side + 2 * self.crop

    def planes(self) -> list[Planes]:
        """Return the sizes of each convolutional layer.

        Raises:
            UserError: the image is too small to leave a pixel in every layer.
        """
        channels, *sides = self.image
        sides = [side - 2 * self.crop for side in sides]
        if min(self.image[1:]) < self.smallest:
            height, width = self.image[1:]
            raise UserError(
                f"Images of {height}×{width} pixels, cropped by {self.crop} on every side, leave "
                f"nothing after {len(self.maps)} convolutions ({self.kernel}×{self.kernel}, each "
                f"with pooling {self.pool}×{self.pool}): use images of {self.smallest}×"
                f"{self.smallest} pixels or larger, or a smaller crop."
            )
        layers = []
        for maps in self.maps:
            convolved = [side - self.kernel + 1 for side in sides]
            pooled = [side // self.pool for side in convolved]
            layers.append(Planes((channels, *sides), (maps, *convolved), (maps, *pooled)))
            channels, sides = maps, pooled
        return layers

    def products(self) -> list[tuple[int, int]]:
        """Return (inputs, outputs) of the weights of each layer, the last one gives the logits."""
        layers = self.planes()
        sizes = [(p.entering[0] * self.kernel**2, p.convolved[0]) for p in layers]
        channels, height, width = layers[-1].pooled
        inputs = channels * height * width
        for outputs in (*self.dense, self.classes):
            sizes.append((inputs, outputs))
            inputs = outputs
        return sizes


def check_last_batch(batch_size: int, examples: int, smallest: int) -> None:
    """Check that the last batch of an epoch is not too small for the model.

    Raises:
        UserError: it holds fewer than ``smallest`` examples.
    """
    last = (examples - 1) % batch_size + 1
    if last < smallest:
        raise UserError(
            f"With batch_size {batch_size} the last batch of {examples} training examples "
            f"holds {last}, but batch normalisation needs {smallest}: "
            "change batch_size or train_examples."
        )
