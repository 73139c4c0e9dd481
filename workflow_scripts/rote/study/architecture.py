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
    margins: tuple[int, int]  # zeros before and behind rows and columns, of the convolution
    pooling_margin: tuple[int, int]  # rows and columns before the first one, of the pooling


class Architecture(NamedTuple):
    """The sizes of a CNN; the defaults are those of the paper, as this study reads it.

    The paper prints neither padding nor strides (Arpit et al. 2017, footnote 2). It names Zhang et
    al. (2017), who print 1,387,786 parameters for theirs: ``same`` and a stride of 2.

    Args:
        image: (channels, height, width) of the inputs.
        classes: number of logits.
        maps: feature maps of each convolution.
        dense: units of each dense layer before the logits.
        kernel: height and width of the filters.
        pool: height and width of the windows of the max-pooling.
        padding: of convolutions and pooling, as TensorFlow has it. ``same``: a stride of s makes
            ⌈n / s⌉ of n rows, and what is added on both sides differs by one at most. ``valid``:
            nothing is added, and an incomplete window is left out.
        pooling_stride: from one window to the next.
    """

    image: tuple[int, int, int]
    classes: int
    maps: tuple[int, ...] = (200, 200)
    dense: tuple[int, ...] = (384, 192)
    kernel: int = 5
    pool: int = 3
    padding: str = "same"
    pooling_stride: int = 2

    smallest_batch = 2  # a single example has no variance to be normalised by

    @classmethod
    def of(cls, settings: dict, image: tuple[int, int, int], classes: int) -> "Architecture":
        """Return the sizes from a CNN's settings; there are two convolutions of ``maps`` each."""
        return cls(
            image,
            classes,
            (settings["maps"],) * 2,
            tuple(settings["dense"]),
            padding=settings["padding"],
            pooling_stride=settings["pooling_stride"],
        )

    @property
    def filters_shape(self) -> tuple[int, int, int, int]:
        """The shape of the filters of the first layer, (maps, channels, kernel, kernel)."""
        return self.maps[0], self.image[0], self.kernel, self.kernel

    @property
    def smallest(self) -> int:
        """The height and width of the smallest image that leaves a pixel in every layer."""
        side = 1
        for _ in self.maps if self.padding == "valid" else ():
            side = (side - 1) * self.pooling_stride + self.pool + self.kernel - 1
        return side

    def planes(self) -> list[Planes]:
        """Return the sizes of each convolutional layer.

        Raises:
            UserError: the image is too small to leave a pixel in every layer.
        """
        channels, *sides = self.image
        if min(sides) < self.smallest:
            height, width = sides
            raise UserError(
                f"Images of {height}×{width} pixels leave nothing after {len(self.maps)} "
                f"convolutions without padding ({self.kernel}×{self.kernel}, each with pooling "
                f"{self.pool}×{self.pool}, stride {self.pooling_stride}): use images of "
                f"{self.smallest}×{self.smallest} pixels or larger, a smaller crop, or padding: "
                "same."
            )
        layers = []
        margins = ((self.kernel - 1) // 2, self.kernel // 2) if self.padding == "same" else (0, 0)
        for maps in self.maps:
            convolved = [self._side(side, self.kernel, 1) for side in sides]
            pooled = [self._side(side, self.pool, self.pooling_stride) for side in convolved]
            before = tuple(map(self._pooling_margin, convolved, pooled))
            layers.append(
                Planes((channels, *sides), (maps, *convolved), (maps, *pooled), margins, before)
            )
            channels, sides = maps, pooled
        return layers

    def _side(self, side: int, window: int, stride: int) -> int:
        """Return how many windows there are along a side."""
        if self.padding == "same":
            return -(-side // stride)
        return (side - window) // stride + 1

    def _pooling_margin(self, convolved: int, pooled: int) -> int:
        """Return what ``same`` adds before a side; it adds as much behind it, or one more."""
        covered = (pooled - 1) * self.pooling_stride + self.pool
        return max(0, covered - convolved) // 2

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

    @property
    def parameters(self) -> int:
        """The number of weights and biases, as others print it: those of normalisation left out."""
        return sum((inputs + 1) * outputs for inputs, outputs in self.products())


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
