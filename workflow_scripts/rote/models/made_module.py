"""Makes a ``torch.nn.Module`` by the function that its settings name, which is the user's code."""

import importlib
import importlib.util
import inspect
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import chain
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from rote.machine.errors import UserError, of_own_code, out_of_memory
from rote.machine.randomness import seed_of
from rote.machine.torchvision_import import torchvision
from rote.models.known_function import known
from rote.study import code, own_module

PREFIX = "rote_own_"  # of the names of modules that are files of the user's
MANY = 8  # channels, of a convolution


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
        where, _ = own_module.parted(self.name)
        self._file = Path(where).resolve() if own_module.of_file(where) else None
        source = settings.get("source")
        self._known = known(settings)
        self._make = self._known.function if self._known else _function(self.name)
        if source and not self._known and source != own_module.with_source(settings)["source"]:
            raise UserError(
                f"{where} was edited since the study began: run the same command again."
            )
        self._arguments = settings.get("arguments", {})
        self.first = self(0)
        self.memory_format = torch.contiguous_format  # of the images that the module is given
        self._check()
        self._check_same()

    @property
    def smallest_batch(self) -> int:
        """The examples of the smallest batch that it can be trained on."""
        normalised = any(isinstance(part, _BatchNorm) for part in self.first.modules())
        return 2 if normalised else 1

    def __call__(self, seed: int) -> nn.Module:
        """Return a module whose weights are drawn by ``seed``, on the CPU.

        They are those after ``torch.manual_seed(seed_of("initial", seed))``, with the generators of
        NumPy and of Python seeded by it, too.
        """
        key = self.image, self.classes, seed
        if self._known and (kept := self._known.made_before(key)) is not None:
            return kept
        with _seeded(seed_of("initial", seed)), _importing(self._file):
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
        if self._known:
            self._known.keep(key, module)
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
        shape = "×".join(map(str, self.image))
        on = f"images of {shape} (channels, rows, columns)"
        try:
            with _seeded(0), _importing(self._file), torch.no_grad():
                logits = self.first.train(False)(torch.zeros(2, *self.image))
        except Exception as error:
            raise self._failed(f"fails on {on}", error) from error
        expected, found = (2, self.classes), tuple(getattr(logits, "shape", ()))
        if found != expected:
            what = f"a tensor {found}" if found else type(logits).__name__
            raise UserError(
                f"{self.name} returns {what} for 2 images of {self.classes} classes: have it "
                f"return logits {expected}."
            )
        before = [(buffer.shape, buffer.dtype) for buffer in self.first.buffers()]
        trained = self._tried(on)
        if [(buffer.shape, buffer.dtype) for buffer in trained.buffers()] != before:
            raise UserError(
                f"{self.name} has a buffer whose shape or type changes in training: keep both."
            )

    def _check_same(self) -> None:
        """Check that a function of this process still makes what it made for the training."""
        if self._known is None:
            return
        try:
            with _seeded(0):
                same = self._known.is_as_before((self.image, self.classes, 0), self.first)
        except Exception as error:
            raise self._failed("fails on random images", error) from error
        if not same:
            raise UserError(
                f"{self.name} computes something else than when its models were trained, since a "
                "variable that it reads has changed: give that its value again, or train anew."
            )

    def check_differentiable(self, measure: str) -> None:
        """Check that logits have a derivative by the images.

        Args:
            measure: what needs it.

        Raises:
            UserError: they have none.
        """
        images = torch.zeros(2, *self.image, requires_grad=True)
        try:
            with _seeded(0), _importing(self._file):
                logits = self.first(images.clone(memory_format=self.memory_format))
                (gradient,) = torch.autograd.grad(logits.sum(), images, allow_unused=True)
        except Exception as error:
            raise self._failed(f"has no derivative by its images, for {measure},", error) from error
        if gradient is None:
            raise UserError(
                f"The logits of {self.name} have no derivative by its images, which {measure} "
                "needs (an embedding of whole numbers has none): have it compute with the images "
                f"as they are, or do without {measure}."
            )

    def _tried(self, on: str) -> nn.Module:
        """Return a module after an update's gradient, and choose the format of its images.

        Convolutions of many channels, and pooling, are faster where the channels of a pixel stand
        together. A module that looks at its tensors as they lie in memory may refuse that.
        """
        convolutions = [part for part in self.first.modules() if isinstance(part, nn.Conv2d)]
        if convolutions and all(part.out_channels >= MANY for part in convolutions):
            self.memory_format = torch.channels_last
            with suppress(Exception):
                return self._after_gradient()
        self.memory_format = torch.contiguous_format
        try:
            return self._after_gradient()
        except Exception as error:
            raise self._failed(f"fails in training on {on}", error) from error

    def _after_gradient(self) -> nn.Module:
        module, labels = self(0).train(), torch.arange(2) % self.classes
        images = torch.zeros(2, *self.image).clone(memory_format=self.memory_format)
        with _seeded(0), _importing(self._file):
            nn.functional.cross_entropy(module(images), labels).backward()
        return module

    def _failed(self, what: str, error: Exception) -> Exception:
        if out_of_memory(error):
            return error
        arguments = f" with {self._arguments}" if self._arguments else ""
        remedy = "see to its code and its arguments"
        return of_own_code(f"{self.name}{arguments} {what}", error, remedy)


def _is_lazy(module: nn.Module) -> bool:
    uninitialised = nn.parameter.UninitializedTensorMixin
    tensors = chain(module.parameters(), module.buffers())
    return any(isinstance(tensor, uninitialised) for tensor in tensors)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed all generators on the CPU, and give them back to the caller as they were."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)  # and none of a GPU
    try:
        yield
    finally:
        for give_back, state in zip(
            (random.setstate, np.random.set_state, torch.set_rng_state), states, strict=True
        ):
            give_back(state)


@contextmanager
def _importing(file: Path | None) -> Iterator[None]:
    """Have a user's file import those beside it, as they are now, and nobody else."""
    if file is None:
        yield
        return
    _forget(file)
    sys.path.insert(0, str(file.parent))
    try:
        yield
    finally:
        sys.path.remove(str(file.parent))
        _forget(file)


def _forget(file: Path) -> None:
    """Forget the modules of the files beside a file: they may be edited, or others of that name."""
    files = {str(beside) for beside in code.own_files(file).values()}
    for name, module in [*sys.modules.items()]:
        if getattr(module, "__file__", None) in files and not name.startswith(PREFIX):
            del sys.modules[name]


def _function(name: str) -> Callable[..., nn.Module]:
    where, function = own_module.parted(name)
    try:
        module = _imported(where)
    except UserError:
        raise
    except Exception as error:
        raise of_own_code(f"{where} cannot be imported", error) from error
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
    name = f"{PREFIX}{path.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses and pickles look it up
    try:
        with _importing(path):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
