"""Convolutions of one member after another, where there are maps enough: by oneDNN, or cuDNN.

A batched product of patches (:mod:`rote.models.convolution`) spares calls, and calls count where
models are small. With 16 to 200 maps on 14×14 or 28×28 pixels, batches of 50 and one CPU thread,
oneDNN takes half the time of the products, and needs no patches; with 8 maps it takes as long, or
up to twice as long.

On CUDA nothing has been timed; this was counted. Patches are written once and read twice, and those
of gradients written and read once more: 20 bytes a number, at 3 TB/s. Three calls of cuDNN and
three copies take some 90 µs of a member. So they are as fast at 13 million numbers, 2¹⁷ an example
in batches of 100; 200 maps behind 200 on 14×14 pixels have 7 times as many. Below that the products
are fewer calls whatever the members; convolutions in groups would be so too, but with few channels
a group cuDNN has slow ways alone.
"""

import math

import torch
from torch import Tensor

from rote.models.convolution import Convolution
from rote.models.dilated import filters_of, gradients
from rote.models.optimizer import Optimizer
from rote.models.workspace import Workspace
from rote.study.architecture import Architecture, Planes

FEWEST = 16  # maps, on the CPU
FEWEST_NUMBERS = 2**17  # in the patches of an example, on CUDA


def convolution(
    name: str, sizes: Planes, architecture: Architecture, workspace: Workspace
) -> Convolution:
    """Return a layer of the kind that is faster; see :class:`Convolution`."""
    kind = kind_of(sizes, architecture, torch.device(workspace.device).type == "cuda")
    return kind(name, sizes, architecture, workspace)


def kind_of(sizes: Planes, architecture: Architecture, cuda: bool) -> type[Convolution]:
    """Return the faster kind on CUDA, or on the CPU."""
    if architecture.kernel % 2 == 0:  # both libraries add as many zeros on either side
        return Convolution
    if cuda:
        numbers = sizes.entering[0] * architecture.kernel**2 * math.prod(sizes.convolved[1:])
        return ImageConvolution if numbers >= FEWEST_NUMBERS else Convolution
    return MemberwiseConvolution if sizes.convolved[0] >= FEWEST else Convolution


class MemberwiseConvolution(Convolution):
    """A convolution, then max-pooling, as its base, but by oneDNN for one member after another.

    Planes are padded here, too: where oneDNN adds the zeros of a dilated convolution itself, the
    gradient of the weights takes up to six times as long.
    """

    layout = torch.channels_last  # of images, where gradients are passed on

    def products(self, weight: Tensor, planes: Tensor) -> Tensor:
        """Return the convolution of ``planes``, which may be the same for all members."""
        maps, *sides = self.sizes.convolved
        batch = planes.shape[-1]
        memory = self._memory("products", weight, maps, math.prod(sides) * batch)
        for own, of_member, out in zip(weight, self._each(planes, weight), memory, strict=True):
            rows, filters = self._rows(of_member), filters_of(own, self.kernel)
            found = torch.nn.functional.conv2d(rows, filters, dilation=(1, batch))
            out.copy_(found.view(out.shape))
        return memory

    def descend(self, k: int, planes: Tensor, gradient: Tensor, optimizer: Optimizer) -> None:
        """Update the weights, parameter ``k``, given ∂loss/∂products."""
        weight = optimizer.parameters[k]
        total = self._memory("weight gradients", gradient, *weight.shape[1:])
        dilated = [1, 1], [0, 0], [1, planes.shape[-1]]
        for member, of_member in enumerate(self._each(planes, gradient)):
            own = gradient[member].unflatten(1, (self.sizes.convolved[1], -1))[None]
            rows, filters = self._rows(of_member), filters_of(weight[member], self.kernel)
            _, found = gradients(own, rows, filters, *dilated, [False, True])
            total[member].copy_(found.flatten(1).mT)
        optimizer.descend(k, total)

    def passed_on(self, weight: Tensor, gradient: Tensor, batch: int) -> Tensor:
        """Return ∂loss/∂planes, (members, channels, height × width × batch).

        By images, on the CPU of channels last: the gradient of the dilated convolution would take
        two to four times as long.
        """
        channels, *sides = self.sizes.entering
        if channels < FEWEST:
            return super().passed_on(weight, gradient, batch)
        memory = self._memory("passed", gradient, channels, math.prod(sides) * batch)
        last = {"memory_format": self.layout}
        images = gradient.new_empty(batch, channels, *sides).contiguous(**last)  # for its shape
        plain = [1, 1], [self.margins[0]] * 2, [1, 1]
        for own, filters, out in zip(gradient, weight, memory, strict=True):
            planes = own.unflatten(1, (*self.sizes.convolved[1:], batch)).permute(3, 0, 1, 2)
            filters = filters_of(filters, self.kernel).contiguous(**last)
            found, _ = gradients(planes.contiguous(**last), images, filters, *plain, [True, False])
            out.view(channels, *sides, batch).copy_(found.permute(1, 2, 3, 0))
        return memory

    def _each(self, planes: Tensor, members: Tensor) -> Tensor:
        return planes.expand(len(members), *planes.shape[1:])

    def _rows(self, planes: Tensor) -> Tensor:
        """Return planes of one member as a single image, see :mod:`rote.models.dilated`."""
        return planes.flatten(2)[None]


class ImageConvolution(MemberwiseConvolution):
    """The same by plain convolutions of images (batch, channels, height, width), for cuDNN."""

    layout = torch.contiguous_format

    def products(self, weight: Tensor, planes: Tensor) -> Tensor:
        """Return the convolution of ``planes``, which may be the same for all members."""
        maps, *sides = self.sizes.convolved
        batch = planes.shape[-1]
        memory = self._memory("products", weight, maps, math.prod(sides) * batch)
        images = self._each(self._images("images", planes), weight)
        for own, of_member, out in zip(weight, images, memory, strict=True):
            found = torch.nn.functional.conv2d(of_member, filters_of(own, self.kernel))
            out.view(maps, *sides, batch).copy_(found.permute(1, 2, 3, 0))
        return memory

    def descend(self, k: int, planes: Tensor, gradient: Tensor, optimizer: Optimizer) -> None:
        """Update the weights, parameter ``k``, given ∂loss/∂products."""
        weight, batch = optimizer.parameters[k], planes.shape[-1]
        total = self._memory("weight gradients", gradient, *weight.shape[1:])
        plain = [1, 1], [0, 0], [1, 1]
        gradient = gradient.unflatten(2, (*self.sizes.convolved[1:], batch))
        gradients_of_images = self._images("gradients of images", gradient)
        images = self._each(self._images("images", planes), gradient)
        for own, of_member, parameter, out in zip(
            gradients_of_images, images, weight, total, strict=True
        ):
            filters = filters_of(parameter, self.kernel)
            _, found = gradients(own, of_member, filters, *plain, [False, True])
            out.copy_(found.flatten(1).mT)
        optimizer.descend(k, total)

    def _convolved(
        self, images: Tensor, filters: Tensor, padding: list[int], members: int
    ) -> Tensor:
        """Return the convolution of images (batch, members × channels, …), by autograd."""
        each = zip(images.chunk(members, 1), filters.chunk(members), strict=True)
        return torch.cat([torch.nn.functional.conv2d(*own, padding=padding) for own in each], 1)

    def _images(self, name: str, planes: Tensor) -> Tensor:
        """Return planes (members, channels, height, width, batch) as images of each member."""
        images = planes.permute(0, 4, 1, 2, 3)
        shape = images.shape
        memory = self._memory(name, planes, shape[1], math.prod(shape[2:]))
        return memory.view(shape).copy_(images)
