"""Functions of this process that make a ``torch.nn.Module``, and what they made.

A function of a notebook reads variables that change, such as that of the loop it stands in. Called
again after training it may make another network, with the weights of the one that was trained. So
what it made is kept, and copied when it is asked for again.
"""

import copy
import uuid
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call

DISTURBANCE = 0.01  # standard deviation, added to each parameter by the trial below
TOLERANCE = 1e-4  # of the logits of one network


class KnownFunction:
    """A function, and the modules that it made, each as it was then.

    Args:
        function: makes a module.
    """

    def __init__(self, function: Callable[..., nn.Module]):
        self.function = function
        self._kept: dict[tuple, nn.Module] = {}
        self._logits: dict[tuple, Tensor] = {}
        self._copied = True

    def made_before(self, key: tuple) -> nn.Module | None:
        """Return a copy of the module that was kept by this key; None: it has to be made."""
        return copy.deepcopy(self._kept[key]) if key in self._kept else None

    def keep(self, key: tuple, module: nn.Module) -> None:
        """Keep a copy of a module; of one that cannot be copied, as some cannot, nothing."""
        if self._copied:
            try:
                self._kept[key] = copy.deepcopy(module)
            except Exception:
                self._make_anew()

    def is_as_before(self, key: tuple, module: nn.Module) -> bool:
        """Return whether a module, of shapes and a seed, computes what the first of them computed.

        One that is made anew may be another, and so may a copy whose code reads a variable.

        Args:
            key: shape of an image, classes and seed.
            module: in evaluation.
        """
        logits = _disturbed_logits(module, key[0])
        if key in self._logits:
            return _alike(logits, self._logits[key])
        self._logits[key] = logits
        twin = self.made_before(key)
        # A function within a module, such as a lambda, goes on using the module that it was made
        # in: a copy of such a module would compute with the weights of that one.
        if twin is not None and not _alike(_disturbed_logits(twin.train(False), key[0]), logits):
            self._make_anew()
        return True

    def _make_anew(self) -> None:
        self._copied = False
        self._kept.clear()


_functions: dict[str, KnownFunction] = {}


def known_by_name(function: Callable[..., nn.Module]) -> dict:
    """Return the settings of a module that a function of this process makes.

    It goes by a new name each time: what it computes may hang on more than its code.
    """
    name = f"this process:{getattr(function, '__name__', 'module')}"
    source = uuid.uuid4().hex
    _functions[source] = KnownFunction(function)
    return {"from": name, "source": source}


def known(settings: dict) -> KnownFunction | None:
    """Return the function of this process that settings of a module name; None: it is elsewhere."""
    return _functions.get(settings.get("source"))


def forget(settings: dict) -> None:
    """Free the memory of what the function of these settings made, which nobody needs any more."""
    _functions.pop(settings.get("source"), None)


@torch.no_grad()
def _disturbed_logits(module: nn.Module, image: tuple[int, int, int]) -> Tensor:
    """Return logits (2, classes) of random images, each parameter a little off what it is.

    Else a last layer that begins with zeros would hide what is before it. The module stays as it
    is.
    """
    draw = torch.Generator().manual_seed(0)
    parameters = {
        name: own + DISTURBANCE * torch.randn(own.shape, generator=draw).to(own.dtype)
        for name, own in module.named_parameters()
        if own.is_floating_point()
    }
    return functional_call(module, parameters, (torch.rand(2, *image, generator=draw),))


def _alike(some: Tensor, others: Tensor) -> bool:
    return torch.allclose(some, others, rtol=TOLERANCE, atol=0, equal_nan=True)
