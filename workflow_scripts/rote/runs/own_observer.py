"""The observer that the entry of a figure names: what is wrong with it ends in one sentence.

It may be the user's own. What its methods raise, and what it returns of a member, would otherwise
fail elsewhere, in words that do not name it.
"""

import traceback
from collections.abc import Callable, Sequence
from importlib import import_module

import numpy as np
import torch
from torch import Tensor

from rote.machine.errors import UserError, of_own_code, out_of_memory
from rote.measures.observer import Observer, Variables
from rote.runs.variables import ATTRIBUTES
from rote.study.figures import EXPERIMENTS

ENTRY = "the entry in FIGURES of workflow_scripts/rote/study/figures.py"
SUPER = "super().__init__(*group)"


class OwnObserver(Observer):
    """Asks the observer of a name, and says what is wrong with it; see ``Observer``.

    Args:
        name: ``module.Class``, of ``rote.measures``.
        members, examples, epochs, device: see ``Observer``.

    Raises:
        UserError: there is no such observer, one of its methods fails, or it keeps or returns what
            does not fit.
    """

    def __init__(
        self, name: str, members: int, examples: int, epochs: Sequence[int], device: torch.device
    ):
        self.name = name
        self._sizes = {"example": examples, "epoch": len(epochs)}
        module, _, kind = name.partition(".")
        self._module = f"rote.measures.{module}"
        module = self._ask(f"The import of {self._module}", import_module, self._module)
        made = getattr(module, kind, None)
        if not (isinstance(made, type) and issubclass(made, Observer)):
            raise UserError(
                f"{self._module} has no subclass {kind} of Observer, which {ENTRY} names: write "
                "one, or another name."
            )
        group = members, examples, epochs, device
        self.own = self._ask(f"{name}.__init__", made, *group)
        self._check_state(members)

    @property
    def state(self) -> dict[str, Tensor]:
        """That of the observer itself."""
        return self.own.state

    @state.setter
    def state(self, state: dict[str, Tensor]) -> None:
        self.own.state = state

    def presented(self, *batch: object) -> None:
        """Show a batch, see ``Observer``."""
        self._ask(f"{self.name}.presented", self.own.presented, *batch)

    def scored(self, *part: object) -> None:
        """Show a part of the training examples, see ``Observer``."""
        self._ask(f"{self.name}.scored", self.own.scored, *part)

    def validated(self, *part: object) -> None:
        """Show a part of the validation examples, see ``Observer``."""
        self._ask(f"{self.name}.validated", self.own.validated, *part)

    def variables(self, member: int) -> Variables:
        """Return what the observer keeps of a member, which fits into a run; see ``Observer``."""
        found = self._ask(f"{self.name}.variables", self.own.variables, member)
        if not isinstance(found, dict):
            raise self._wrong(
                f"returns {'nothing' if found is None else type(found).__name__}",
                "return a dict of (dimensions, values) by name, as of_examples does",
            )
        self._check_names([*found])
        return {name: self._fitting(name, given) for name, given in found.items()}

    def _ask(self, what: str, ask: Callable, *arguments: object) -> object:
        """Return what a function of the observer returns; what it raises becomes a sentence."""
        try:
            return ask(*arguments)
        except UserError:
            raise
        except Exception as error:
            if out_of_memory(error):
                raise  # a smaller group may fit
            lines = [
                line
                for frame, line in traceback.walk_tb(error.__traceback__)
                if frame.f_globals.get("__name__") == self._module
            ]
            place = f" in line {lines[-1]}" if lines else ""
            remedy = "see to its code"
            if getattr(error, "name", None) in ("state", "examples", "epochs"):
                remedy += f", and begin its __init__ with {SUPER}"
            raise of_own_code(f"{what} fails{place}", error, remedy) from error

    def _wrong(self, what: str, expected: str) -> UserError:
        return UserError(f"{self.name}.variables {what}: have it {expected}.")

    def _check_state(self, members: int) -> None:
        if not hasattr(self.own, "state"):
            raise UserError(f"{self.name} has no state: begin its __init__ with {SUPER}.")
        for name, part in self.state.items():
            if not (isinstance(part, Tensor) and part.shape[:1] == (members,)):
                raise UserError(
                    f"{self.name}.state has {name!r} without an axis of the {members} members in "
                    "front: make it a tensor (members, …), or keep it elsewhere."
                )

    def _check_names(self, found: list[str]) -> None:
        """Compare the names with those in the entry: a run says of each what it is."""
        declared = [
            name
            for experiment in EXPERIMENTS.values()
            if experiment.observer == self.name
            for name in experiment.variables
        ]
        # What others declare, too, such as a class that it is derived from, needs no entry here.
        if {*declared} - {*found} or {*found} - {*ATTRIBUTES}:
            raise self._wrong(
                f"returns {_listed(found)}, but the variables of {ENTRY} are {_listed(declared)}",
                "return these, or name what it returns there",
            )

    def _fitting(self, name: str, given: object) -> tuple[tuple[str, ...], np.ndarray]:
        """Return the dimensions and the values of a variable that has both, of the right sizes."""
        pair = isinstance(given, tuple) and len(given) == 2
        if not (pair and isinstance(given[0], (str, tuple, list))):
            raise self._wrong(
                f"gives {name!r} as {type(given).__name__}",
                f"give dimensions and values, {name!r}: (('example',), values)",
            )
        dims, values = (given[0],) if isinstance(given[0], str) else tuple(given[0]), given[1]
        array = isinstance(values, (np.ndarray, np.generic))
        if not array or values.dtype.kind not in "biuf" or values.dtype == np.float16:
            raise self._wrong(
                f"gives {name!r} values of type {getattr(values, 'dtype', type(values).__name__)}",
                "give numbers in an array of NumPy, such as float32",  # NetCDF has no float16
            )
        if "member" in dims:
            raise self._wrong(f"gives {name!r} along 'member'", "give the values of one member")
        # Other dimensions have the size of the first member's.
        fits = len(dims) == values.ndim and all(
            self._sizes.setdefault(dim, size) == size
            for dim, size in zip(dims, values.shape, strict=True)
        )
        if not fits:
            sizes = ", ".join(f"{dim!r}: {self._sizes.get(dim, 'any')}" for dim in dims)
            raise self._wrong(
                f"gives {name!r} an array of shape {values.shape} for the dimensions {dims}",
                f"give an array of their sizes, {{{sizes}}}",
            )
        return dims, np.asarray(values)


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, sorted(names, key=str))) or "none"
