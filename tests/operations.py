"""A watch over the operations of torch: how many there are, and which wait for the device."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

# Operations whose result, or whose shape, the host has to know; and lift_fresh, which brings
# numbers from Python to a tensor, and from there to the device.
WAITS = {
    "_local_scalar_dense",
    "equal",
    "is_nonzero",
    "item",
    "lift_fresh",
    "lift_fresh_copy",
    "masked_select",
    "nonzero",
    "unique",
}


class Watch(TorchDispatchMode):
    """Notes operations that wait, and those that index by a mask."""

    def __init__(self):
        super().__init__()
        self.seen, self.waited = 0, set()

    def __torch_dispatch__(self, operation, types, arguments=(), named=None):
        name = operation.overloadpacket.__name__
        self.seen += 1
        masks = [index for index in arguments[1] if index is not None] if name == "index" else []
        if name in WAITS or any(index.dtype == torch.bool for index in masks):
            self.waited.add(name)
        return operation(*arguments, **(named or {}))
