"""Convolutions and max-pooling of many models at once, on planes whose last axis is the batch.

A convolution is the batched matrix product of the weights and of all patches of the planes. In the
shape (members, channels, height, width, batch) the patches are copied in runs of whole rows, the
products are already the next planes, and pooling compares whole batches: nothing is slow because
there are few maps or small images. Where there are many, see :mod:`rote.models.memberwise`.

``make bench`` compares the CNNs of :mod:`rote.models.cnn` with a loop over ``nn.Sequential``. For
an update without padding, 4 to 64 maps, ``conv2d(groups=members)`` took 0.95 to 1.9 of the loop's
time, and ``torch.func.vmap``, which makes the same call, 1.3 to 3.5, where products of patches took
0.5 to 0.75.
"""

import math

import torch
from torch import Tensor

from rote.machine.device import bytes_at_once
from rote.machine.products import add_product, multiply
from rote.models.dilated import differentiable, filters_of
from rote.models.optimizer import Optimizer
from rote.models.workspace import Workspace
from rote.study.architecture import Architecture, Planes

# Bytes of the patches of a member that are held at once, on the CPU: larger ones leave the cache
# before they are multiplied.
STRIP = 2**20


class Convolution:
    """A convolution, then max-pooling.

    The weights are (members, channels × kernel × kernel, maps); products and their gradients
    (members, maps, height × width × batch).

    Args:
        name: tells the memory of this layer from that of others.
        sizes: of the layer.
        architecture: its kernel, its pooling and its padding.
        workspace: memory.
    """

    def __init__(self, name: str, sizes: Planes, architecture: Architecture, workspace: Workspace):
        self.name, self.sizes, self.kernel = name, sizes, architecture.kernel
        self.workspace = workspace
        self.strip = bytes_at_once(workspace.device, STRIP)
        # Whether gradients of planes are gathered in one product, see passed_on.
        self.gathers = torch.device(workspace.device).type == "cuda"
        # Zeros on each side of the planes: left, right, above, below.
        self.margins = sizes.margins * 2
        # What torch adds behind a side is a window that is not full: by ``ceil_mode``.
        self.pooling = {
            "kernel_size": [architecture.pool] * 2,
            "stride": [architecture.pooling_stride] * 2,
            "padding": list(sizes.pooling_margin),
            "ceil_mode": architecture.padding == "same",
        }

    def _memory(self, name: str, like: Tensor, rows: int, columns: int) -> Tensor:
        return self.workspace(f"{name} {self.name}", (len(like), rows, columns), like.dtype)

    def _strips(self, batch: int) -> list[tuple[slice, slice]]:
        """Return the rows of the convolved planes that are computed at once, and their columns."""
        channels, (_, height, width) = self.sizes.entering[0], self.sizes.convolved
        row = width * batch
        count = -(-4 * height * row * channels * self.kernel**2 // self.strip)
        rows = -(-height // count)
        ends = [(start, min(start + rows, height)) for start in range(0, height, rows)]
        return [(slice(a, b), slice(a * row, b * row)) for a, b in ends]

    def _patches(self, planes: Tensor, rows: slice, filled: bool = False) -> Tensor:
        """Return the patches of a strip, (members, channels × kernel × kernel, positions × batch).

        With ``filled`` the memory already holds them.
        """
        patches = patches_of(planes, self.kernel)[:, :, :, :, rows]
        shape = patches.shape
        memory = self._memory("patches", planes, math.prod(shape[1:4]), math.prod(shape[4:]))
        if not filled:
            memory.view(shape).copy_(patches)
        return memory

    def padded(self, planes: Tensor) -> Tensor:
        """Return ``planes`` (…, height, width, batch) with zeros around them, if there are any."""
        return self._padded("padded", planes, self.margins) if any(self.margins) else planes

    def _padded(self, name: str, planes: Tensor, margins: list[int]) -> Tensor:
        """Return planes with zeros on each side: left, right, above, below."""
        left, right, above, below = margins
        channels, height, width, batch = planes.shape[1:]
        shape = channels, above + height + below, left + width + right, batch
        memory = self._memory(name, planes, channels, math.prod(shape[1:])).view(-1, *shape)
        # The memory comes as it is: only its rim must be zero.
        memory[:, :, :above].zero_()
        memory[:, :, above + height :].zero_()
        inner = memory[:, :, above : above + height]
        inner[:, :, :, :left].zero_()
        inner[:, :, :, left + width :].zero_()
        inner[:, :, :, left : left + width].copy_(planes)
        return memory

    def products(self, weight: Tensor, planes: Tensor) -> Tensor:
        """Return the convolution of :meth:`padded` planes, perhaps the same for all members."""
        maps, *sides = self.sizes.convolved
        batch = planes.shape[-1]
        memory = self._memory("products", weight, maps, math.prod(sides) * batch)
        for rows, columns in self._strips(batch):
            patches = self._patches(planes, rows).expand(len(weight), -1, -1)
            multiply(weight.mT, patches, memory[:, :, columns])
        return memory

    def descend(self, k: int, planes: Tensor, gradient: Tensor, optimizer: Optimizer) -> None:
        """Update the weights, parameter ``k``, given ∂loss/∂products.

        To be called next after :meth:`products` of the same ``planes``.
        """
        inputs = self.sizes.entering[0] * self.kernel**2
        total = self._memory("weight gradients", gradient, inputs, gradient.shape[1])
        strips = self._strips(planes.shape[-1])
        for rows, columns in strips:
            patches = self._patches(planes, rows, filled=len(strips) == 1)
            factors = patches.expand(len(total), -1, -1), gradient[:, :, columns].mT
            if rows.start == 0:  # what the memory holds by chance is not even read
                multiply(*factors, total)
            else:
                add_product(total, *factors)
        optimizer.descend(k, total)

    def passed_on(self, weight: Tensor, gradient: Tensor, batch: int) -> Tensor:
        """Return ∂loss/∂planes, (members, channels, height × width × batch).

        On the CPU gradients of patches are added up where the patches were, a strip that stays in
        the cache at a time. On CUDA each of these additions, one for each position in a kernel,
        would be a pass through memory: there it is a convolution, too.
        """
        channels, *sides = self.sizes.entering
        memory = self._memory("passed", gradient, channels, math.prod(sides) * batch)
        if self.gathers:
            return self._gathered(weight, gradient, batch, memory)
        memory.zero_()
        planes = memory.unflatten(2, (*sides, batch))
        left, _, above, _ = self.margins
        for rows, columns in self._strips(batch):
            size = columns.stop - columns.start
            patches = self._memory("patch gradients", gradient, weight.shape[1], size)
            multiply(weight, gradient[:, :, columns], patches)
            width = self.sizes.convolved[2]
            patches = patches.unflatten(2, (-1, width, batch))
            patches = patches.unflatten(1, (channels, self.kernel, self.kernel))
            # What would go to the zeros around the planes goes nowhere.
            for i in range(self.kernel):
                to_rows, from_rows = _shifted(rows, i - above, sides[0])
                for j in range(self.kernel):
                    to, from_ = _shifted(slice(0, width), j - left, sides[1])
                    planes[:, :, to_rows, to] += patches[:, :, i, j, from_rows, from_]
        return memory

    def _gathered(self, weight: Tensor, gradient: Tensor, batch: int, memory: Tensor) -> Tensor:
        """Write to ``memory`` what :meth:`passed_on` returns: the convolution, transposed.

        It is that of the gradients, in zeros, by the filters, turned by half a circle.
        """
        planes = gradient.unflatten(2, (*self.sizes.convolved[1:], batch))
        around = [self.kernel - 1 - margin for margin in self.margins]
        patches = patches_of(self._padded("padded gradients", planes, around), self.kernel)
        rows, columns = math.prod(patches.shape[1:4]), math.prod(patches.shape[4:])
        held = self._memory("patches of gradients", gradient, rows, columns)
        held.view(patches.shape).copy_(patches)
        turned = filters_of(weight, self.kernel).flip(-1, -2).transpose(1, 2).flatten(2)
        return multiply(turned, held, memory)

    def pooled(self, products: Tensor, batch: int) -> tuple[Tensor, Tensor]:
        """Return the greatest of each window, and where in its plane it stands.

        Both are (members, maps, height × width after pooling × batch).
        """
        maps, *sides = self.sizes.pooled
        shape = 1, len(products) * maps, math.prod(sides) * batch
        memory = [
            self.workspace(f"{name} {self.name}", shape, dtype).view(-1, *sides, batch)
            for name, dtype in (("pooled", products.dtype), ("winners", torch.int64))
        ]
        out, winners = (tensor.permute(0, 3, 1, 2) for tensor in memory)
        torch.ops.aten.max_pool2d_with_indices.out(
            self._channels_last(products, batch), **self.pooling, out=out, indices=winners
        )
        return tuple(tensor.view(len(products), maps, -1) for tensor in memory)

    def add_unpooled(self, target: Tensor, gradient: Tensor, winners: Tensor, batch: int) -> None:
        """Add ∂loss/∂pooled to ``target``, in the shape of the products.

        One product may have won several windows that overlap.
        """
        target, winners, gradient = (
            tensor.unflatten(2, (-1, batch)) for tensor in (target, winners, gradient)
        )
        target.scatter_add_(2, winners, gradient)

    def _channels_last(self, products: Tensor, batch: int) -> Tensor:
        """Return the planes of all members in the order that torch knows as channels last."""
        planes = products.flatten(0, 1).unflatten(1, (*self.sizes.convolved[1:], batch))
        return planes.permute(0, 3, 1, 2)

    def shaped(self, activations: Tensor, batch: int) -> Tensor:
        """Return what :meth:`pooled` returned as planes."""
        return activations.unflatten(2, (*self.sizes.pooled[1:], batch))

    def differentiable(self, weight: Tensor, slope: Tensor, planes: Tensor) -> Tensor:
        """Return the pooled products times the ``slope`` of each map, of one member, by autograd.

        A dilated convolution: a step to the right in a plane is a step of a whole batch in memory.
        """
        _, channels, height, width, batch = planes.shape
        filters = filters_of((weight * slope.mT)[0], self.kernel)
        rows = planes.reshape(1, channels, height, width * batch)
        if any(self.margins):
            left, right, *others = self.margins
            margins = left * batch, right * batch, *others
            rows = torch.nn.functional.pad(rows, margins)
        products = differentiable(rows, filters, batch).flatten(2)
        planes = self._channels_last(products, batch)
        pooled = torch.nn.functional.max_pool2d(planes, **self.pooling)
        return pooled.permute(0, 2, 3, 1).reshape(1, weight.shape[2], -1)

    def of_images(self, weight: Tensor, slope: Tensor, images: Tensor) -> Tensor:
        """Return the same of images (batch, members × channels, height, width), by autograd.

        It is (batch, members × maps, height, width).
        """
        filters = filters_of(weight * slope.mT, self.kernel).flatten(0, 1)
        left, right, above, below = self.margins
        padding = [above, left]
        if padding != [below, right]:  # torch pads both sides alike
            images, padding = torch.nn.functional.pad(images, self.margins), [0, 0]
        products = self._convolved(images, filters, padding, len(weight))
        return torch.nn.functional.max_pool2d(products, **self.pooling)

    def _convolved(
        self, images: Tensor, filters: Tensor, padding: list[int], members: int
    ) -> Tensor:
        """Return the convolution of images (batch, members × channels, …), by autograd."""
        return torch.nn.functional.conv2d(images, filters, padding=padding, groups=members)


def _shifted(source: slice, by: int, length: int) -> tuple[slice, slice]:
    """Return where ``source`` lands when it is moved ``by``, and which part of it lands.

    The latter is counted from its own start. Outside of 0 to ``length`` nothing lands.
    """
    start, stop = max(0, source.start + by), min(length, source.stop + by)
    first = source.start + by
    return slice(start, max(start, stop)), slice(start - first, max(start, stop) - first)


class Dense:
    """A dense layer, with the methods of a :class:`Convolution`; it has nothing to pool."""

    def __init__(self, name: str, workspace: Workspace):
        self.name, self.workspace = name, workspace

    def _memory(self, name: str, like: Tensor, rows: int, columns: int) -> Tensor:
        return self.workspace(f"{name} {self.name}", (len(like), rows, columns), like.dtype)

    def padded(self, below: Tensor) -> Tensor:
        """Return ``below``."""
        return below

    def products(self, weight: Tensor, below: Tensor) -> Tensor:
        """Return the products (members, outputs, batch) with ``below`` (members, …, batch)."""
        memory = self._memory("products", weight, weight.shape[2], below.shape[-1])
        return multiply(weight.mT, below.flatten(1, -2), memory)

    def descend(self, k: int, below: Tensor, gradient: Tensor, optimizer: Optimizer) -> None:
        """Update the weights, parameter ``k``, given ∂loss/∂products."""
        optimizer.descend(k, below.flatten(1, -2), gradient.mT)

    def passed_on(self, weight: Tensor, gradient: Tensor, batch: int) -> Tensor:
        """Return ∂loss/∂below, (members, inputs, batch)."""
        memory = self._memory("passed", weight, weight.shape[1], batch)
        return multiply(weight, gradient, memory)

    def pooled(self, products: Tensor, batch: int) -> tuple[Tensor, None]:
        """Return the products."""
        return products, None

    def add_unpooled(self, target: Tensor, gradient: Tensor, winners: None, batch: int) -> None:
        """Add ``gradient`` to ``target``."""
        target.add_(gradient)

    def shaped(self, activations: Tensor, batch: int) -> Tensor:
        """Return the activations."""
        return activations

    def differentiable(self, weight: Tensor, slope: Tensor, below: Tensor) -> Tensor:
        """Return the products times the ``slope`` of each unit, of one member, by autograd."""
        return torch.bmm(weight.mT, below.flatten(1, -2)) * slope

    def of_images(self, weight: Tensor, slope: Tensor, images: Tensor) -> Tensor:
        """Return the same of images (batch, members × …), as (batch, members × units)."""
        products = torch.bmm(by_member(images, len(weight)), weight * slope.mT)
        return products.transpose(0, 1).flatten(1)


def by_member(images: Tensor, members: int) -> Tensor:
    """Return images (batch, members × …) as (members, batch, features)."""
    return images.flatten(1).unflatten(1, (members, -1)).transpose(0, 1)


def patches_of(planes: Tensor, kernel: int) -> Tensor:
    """Return all patches of planes (members, channels, height, width, batch), a view.

    Its shape is (members, channels, kernel, kernel, height', width', batch).
    """
    patches = planes.unfold(2, kernel, 1).unfold(3, kernel, 1)
    return patches.permute(0, 1, 5, 6, 2, 3, 4)
