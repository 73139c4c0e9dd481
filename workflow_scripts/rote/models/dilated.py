"""A convolution of planes whose last axis is the batch: one of a single, dilated image.

A step to the right in a plane is a step of a whole batch in memory. So the planes of one model are
an image (1, channels, height, width × batch), and the convolution is dilated by the batch.
"""

import torch
from torch import Tensor

from rote.machine.products import multiply


def filters_of(weight: Tensor, kernel: int) -> Tensor:
    """Return weights (…, channels × kernel × kernel, maps) as torch keeps them, a view.

    Its shape is (…, maps, channels, kernel, kernel).
    """
    return weight.mT.unflatten(-1, (-1, kernel, kernel))


def differentiable(rows: Tensor, filters: Tensor, batch: int) -> Tensor:
    """Return the convolution of such an image, without padding, for ∂/∂rows by autograd."""
    convolve = _Dilated.apply if rows.device.type == "cpu" else _dilated
    return convolve(rows, filters, batch)


def _dilated(rows: Tensor, filters: Tensor, batch: int) -> Tensor:
    return torch.nn.functional.conv2d(rows, filters, dilation=(1, batch))


class _Dilated(torch.autograd.Function):
    """The convolution of :func:`_dilated`, with a faster gradient by ``rows`` on the CPU.

    PyTorch's own takes 1.0 to 6 times as long (200 to 8 maps of three channels); with this one a
    search for critical samples takes two thirds of the time. Filters get no gradient.
    """

    @staticmethod
    def forward(ctx, rows: Tensor, filters: Tensor, batch: int) -> Tensor:
        """Return the products."""
        ctx.save_for_backward(filters)
        ctx.batch, ctx.shape = batch, rows.shape
        return _dilated(rows, filters, batch)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Return ∂/∂rows. A row of products at a time: what is added up stays in the cache."""
        (filters,) = ctx.saved_tensors
        channels, kernel = filters.shape[1:3]
        height, columns = ctx.shape[2:]
        width = gradient.shape[3] // ctx.batch
        sums = gradient.new_zeros(channels, height, columns // ctx.batch, ctx.batch)
        weight = filters.flatten(1).mT.contiguous()[None]
        of_row = gradient.new_empty(weight.shape[1], width * ctx.batch)
        for row in range(gradient.shape[2]):
            multiply(weight, gradient[:, :, row], of_row[None])
            taps = of_row.view(channels, kernel, kernel, width, ctx.batch)
            for j in range(kernel):
                sums[:, row : row + kernel, j : j + width] += taps[:, :, j]
        return sums.view(ctx.shape), None, None


def gradients(
    gradient: Tensor,
    images: Tensor,
    filters: Tensor,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    wanted: list[bool],
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients by the images and by the filters of any convolution, those ``wanted``.

    Where only the gradient by the images is wanted, ``images`` give their shape alone; the same
    holds for ``filters``.
    """
    whole = False, [0, 0], 1  # not transposed, without anything that only transposed ones have
    by_images, by_filters, _ = torch.ops.aten.convolution_backward(
        gradient, images, filters, None, stride, padding, dilation, *whole, [*wanted, False]
    )
    return by_images, by_filters
