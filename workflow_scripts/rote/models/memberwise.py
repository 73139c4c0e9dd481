"""Convolutions of one member after another, where there are maps enough: by oneDNN, on the CPU.

A batched product of patches (:mod:`rote.models.convolution`) spares calls, and calls count where
models are small. With 16 to 200 maps on 14×14 or 28×28 pixels, batches of 50 and one CPU thread,
oneDNN takes half the time of the products, and needs no patches; with 8 maps it takes as long, or
up to twice as long. On CUDA calls are dear whatever the size.
"""

import math

import torch
from torch import Tensor

from rote.models.convolution import Convolution
from rote.models.dilated import filters_of, gradients
from rote.models.sgd import SGD
from rote.models.workspace import Workspace
from rote.study.architecture import Architecture, Planes

FEWEST = 16  # maps


def convolution(
    name: str, sizes: Planes, architecture: Architecture, workspace: Workspace
) -> Convolution:
    """Return a layer of the kind that is faster; see :class:`Convolution`."""
    on_cpu = torch.device(workspace.device).type == "cpu"
    odd = architecture.kernel % 2 == 1  # oneDNN adds as many zeros on one side as on the other
    many = on_cpu and odd and sizes.convolved[0] >= FEWEST
    kind = MemberwiseConvolution if many else Convolution
    return kind(name, sizes, architecture, workspace)


class MemberwiseConvolution(Convolution):
    """A convolution, then max-pooling, as its base, but by oneDNN for one member after another.

    Planes are padded here, too: where oneDNN adds the zeros of a dilated convolution itself, the
    gradient of the weights takes up to six times as long.
    """

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

    def descend(self, k: int, planes: Tensor, gradient: Tensor, sgd: SGD) -> None:
        """Update the weights, parameter ``k``, given ∂loss/∂products."""
        weight = sgd.parameters[k]
        total = self._memory("weight gradients", gradient, *weight.shape[1:])
        dilated = [1, 1], [0, 0], [1, planes.shape[-1]]
        for member, of_member in enumerate(self._each(planes, gradient)):
            own = gradient[member].unflatten(1, (self.sizes.convolved[1], -1))[None]
            rows, filters = self._rows(of_member), filters_of(weight[member], self.kernel)
            _, found = gradients(own, rows, filters, *dilated, [False, True])
            total[member].copy_(found.flatten(1).mT)
        sgd.descend(k, total)

    def passed_on(self, weight: Tensor, gradient: Tensor, batch: int) -> Tensor:
        """Return ∂loss/∂planes, (members, channels, height × width × batch).

        By images of channels last: the gradient of the dilated convolution would take two to four
        times as long.
        """
        channels, *sides = self.sizes.entering
        if channels < FEWEST:
            return super().passed_on(weight, gradient, batch)
        memory = self._memory("passed", gradient, channels, math.prod(sides) * batch)
        last = {"memory_format": torch.channels_last}
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
