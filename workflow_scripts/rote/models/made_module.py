"""Makes a ``torch.nn.Module`` by the function that its settings name, which is the user's code."""

import importlib
import importlib.util
import inspect
import sys
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from rote.machine.errors import UserError, brief, out_of_memory
from rote.machine.randomness import seed_of
from rote.machine.torchvision_import import torchvision
from rote.study import code, own_module

_functions: dict[str, Callable[..., nn.Module]] = {}  # that are not in a file


def known_by_name(function: Callable[..., nn.Module]) -> dict:
    """Return the settings of a module that a function of this process makes.

    It goes by a name that no other function has, also of another process: what it computes is not
    known by its code.
    """
    name = f"this process:{getattr(function, '__name__', 'module')}"
    source = uuid.uuid4().hex
    _functions[source] = function
    return {"from": name, "source": source}


class Maker:
    """Makes modules of one kind.

    Args:
        settings: ``from``, see :func:`rote.study.own_module.parted`, and perhaps ``arguments``. The
            function is called with these, and with what its parameters are named after: ``image``
            (channels, rows, columns), ``in_channels``, ``classes`` or ``num_classes``. It returns a
            module that maps (batch, channels, rows, columns) to logits (batch, classes).
        image: shape of the inputs.
        classes: number of classes.

    Raises:
        UserError: there is no such function, it fails, or what it returns is no such module.
    """

    def __init__(self, settings: dict, image: tuple[int, int, int], classes: int):
        self.name, self.image, self.classes = settings["from"], tuple(image), classes
        self._make = _functions.get(settings.get("source")) or _function(self.name)
        self._arguments = settings.get("arguments", {})
        self.first = self(0)
        self._check()

    def __call__(self, seed: int) -> nn.Module:
        """Return a module whose weights are drawn by ``seed``, on the CPU.

        They are those after ``torch.manual_seed(seed_of("initial", seed))``.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of("initial", seed))
            try:
                module = self._make(**self._offered(), **self._arguments)
                if isinstance(module, nn.Module) and _is_lazy(module):
                    module.train(False)(torch.zeros(2, *self.image))
            except Exception as error:
                raise self._failed("cannot be made", error) from error
        if not isinstance(module, nn.Module):
            raise UserError(
                f"{self.name} returns {type(module).__name__}: have it return a torch.nn.Module."
            )
        return module

    def _offered(self) -> dict:
        """Return what the function takes of what is known about the data."""
        parameters = inspect.signature(self._make).parameters
        known = {
            "image": self.image,
            "in_channels": self.image[0],
            "classes": self.classes,
            "num_classes": self.classes,
        }
        wanted = {name for name in known if name in parameters}
        any_name = any(each.kind == each.VAR_KEYWORD for each in parameters.values())
        if any_name and not wanted & {"classes", "num_classes"}:
            wanted.add("num_classes")  # as the functions of torchvision.models take it
        return {name: known[name] for name in wanted if name not in self._arguments}

    def _check(self) -> None:
        if not any(parameter.requires_grad for parameter in self.first.parameters()):
            raise UserError(f"{self.name} has no parameters to train: have it make a model.")
        images = torch.zeros(2, *self.image)
        try:
            with torch.random.fork_rng(devices=[]), torch.no_grad():
                logits = self.first.train(False)(images)
        except Exception as error:
            shape = "×".join(map(str, self.image))
            raise self._failed(
                f"fails on images of {shape} (channels, rows, columns)", error
            ) from error
        expected, found = (2, self.classes), tuple(getattr(logits, "shape", ()))
        if found != expected:
            what = f"a tensor {found}" if found else type(logits).__name__
            raise UserError(
                f"{self.name} returns {what} for 2 images of {self.classes} classes: have it "
                f"return logits {expected}."
            )

    def _failed(self, what: str, error: Exception) -> Exception:
        if out_of_memory(error):
            return error
        arguments = f" with {self._arguments}" if self._arguments else ""
        return UserError(
            f"{self.name}{arguments} {what} ({type(error).__name__}: {brief(error)}): see to its "
            "code and its arguments."
        )


def _is_lazy(module: nn.Module) -> bool:
    uninitialised = nn.parameter.UninitializedTensorMixin
    return any(isinstance(parameter, uninitialised) for parameter in module.parameters())


def _function(name: str) -> Callable[..., nn.Module]:
    where, function = own_module.parted(name)
    try:
        module = _imported(where)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{where} cannot be imported ({type(error).__name__}: {brief(error)}): see to its code."
        ) from error
    if not callable(made := getattr(module, function, None)):
        raise UserError(f"{where} has no function or class {function}: write another name.")
    return made


def _imported(where: str) -> ModuleType:
    def tried() -> ModuleType:
        if not own_module.of_file(where):
            return importlib.import_module(where)
        return _loaded(Path(where).resolve(), code.of_own_file(Path(where)))

    try:
        return tried()
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        torchvision("models")  # after which any part of it can be imported
        return tried()


@cache
def _loaded(path: Path, digest: str) -> ModuleType:
    """Return the module of a file with this ``digest``; one that was edited is loaded anew."""
    name = f"{path.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses and pickles look it up
    sys.path.insert(0, str(path.parent))  # for files beside it
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(path.parent))
    return module
