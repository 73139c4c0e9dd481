"""Kinds of noise: a module each, of the name of the kind, with what replaces the real examples.

A kind that replaces inputs has a function ``inputs(examples, seed, part, **parameters)``. It
returns inputs (examples, channel, row, column), float32, scaled as real ones are, and what a grey
level is in each, (examples,), where each image is scaled by itself, else None. ``part`` is
``train`` or ``validation``: critical samples are searched on inputs of noise, too.

A kind that replaces labels has a function ``labels(examples, seed, **parameters)``. It returns
labels (examples,), whole numbers.

``OF_EXAMPLES`` of the module says whether the result depends on the real examples and not on their
number alone: then there is one for each replicate's pair of draws, of examples and of noise. The
words, the look and the parameters of a kind are in ``rote.study.noises``.
"""

import json
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import numpy as np
import xarray as xr

from rote.data import given_noise
from rote.data.scaling import PER_GREY_LEVEL
from rote.machine.errors import UserError, of_own_code, out_of_memory
from rote.study import code
from rote.study.plan import Member

# Their variables have no name behind: they were the only kinds that there were.
UNNAMED = "randX", "randY"


class Examples(NamedTuple):
    """The real examples that noise is to replace, and what is known of their data set."""

    shape: tuple[int, ...]  # (examples, channels, rows, columns)
    attributes: Mapping  # of the noised data set: by which inputs are scaled, see rote.data.scaling
    images: np.ndarray | None = None  # (examples, channels, rows, columns), float32, as scaled
    levels: np.ndarray | None = None  # (examples,), a grey level, where each is scaled by itself
    label: np.ndarray | None = None  # (examples,), the true classes
    index: np.ndarray | None = None  # (examples,), positions in the original training part
    order: np.ndarray | None = None  # (examples,), in which noise replaces them
    classes: int = 0
    settings: Mapping = {}  # of the noised data set


Inputs = tuple[np.ndarray, np.ndarray | None]


def module(kind: str) -> ModuleType:
    """Return the module of a kind of noise.

    Raises:
        UserError: there is none, it cannot be imported, or lacks what a kind of noise has.
    """
    name = f"{__name__}.{kind}"
    try:
        found = import_module(name)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == name:
            raise UserError(
                f"There is no kind of noise {kind}: choose one of rote.study.noises.KINDS, or "
                f"write the module {name}."
            ) from error
        raise of_own_code(f"{name} cannot be imported", error) from error
    if hasattr(found, "labels") == hasattr(found, "inputs"):
        raise UserError(f"{name} has to have a function, labels or inputs: write one of them.")
    if not isinstance(getattr(found, "OF_EXAMPLES", None), bool):
        raise UserError(
            f"{name} does not say whether it depends on the real examples: write OF_EXAMPLES = "
            "True into it, or False if it depends on their number alone."
        )
    return found


def variable(what: str, name: str) -> str:
    """Return what a variable of a noise is called, such as ``noise_label_pairY``."""
    return f"noise_{what}" if name in UNNAMED else f"noise_{what}_{name}"


def definition_in(defined: Mapping[str, Mapping], name: str) -> tuple[str, dict]:
    """Return the kind and the parameters of a noise by its name: what is not defined is a kind."""
    own = dict(defined.get(name, {"kind": name}))
    own.pop("title", None)  # words for figures
    return own.pop("kind"), own


def definition(noised: xr.Dataset, name: str) -> tuple[str, dict]:
    """Return the kind and the parameters of a noise of a noised data set, by its name."""
    return definition_in(json.loads(noised.attrs.get("noises", "{}")), name)


def drawn(
    kind: str, examples: Examples, seed: int, parameters: Mapping, part: str = "train"
) -> dict[str, np.ndarray]:
    """Return what noise gives to examples: its parts by name.

    Args:
        kind: of the noise.
        examples: what it is to replace.
        seed: the draw of the noise.
        parameters: those of the kind.
        part: ``train`` or ``validation``.

    Returns:
        ``inputs_per_grey_level`` (examples,), where each image is scaled by itself, and ``image``
        (examples, channel, row, column), float32; or ``label`` (examples,), int16.

    Raises:
        UserError: the function of the kind fails, or returns something else.
    """
    given_by = module(kind)
    of_labels = hasattr(given_by, "labels")
    try:
        if of_labels:
            found = given_by.labels(examples, seed, **parameters)
        else:
            found = given_by.inputs(examples, seed, part, **parameters)
    except UserError:
        raise
    except Exception as error:
        if out_of_memory(error):
            raise
        function = "labels" if of_labels else "inputs"
        raise of_own_code(f"The function {function} of the noise {kind} fails", error) from error
    if of_labels:
        return {"label": given_noise.labels(found, kind, examples.shape[0], examples.classes)}
    each_image = PER_GREY_LEVEL not in examples.attributes
    images, levels = given_noise.inputs(found, kind, examples.shape, each_image)
    return {**({} if levels is None else {PER_GREY_LEVEL: levels}), "image": images}


def replaces(noised: xr.Dataset, name: str) -> str | None:
    """Return what a noise replaces, ``image`` or ``label``; None for ``real``.

    Raises:
        UserError: the data set has no such noise.
    """
    if name == "real":
        return None
    what = "image" if hasattr(module(definition(noised, name)[0]), "inputs") else "label"
    if variable(what, name) not in noised:
        raise UserError(f"The data set has no noise {name}: add it to noise_kinds.")
    return what


def of_member(noised: xr.Dataset, member: Member) -> xr.Dataset:
    """Return what the noise of a member gives, called as that of randX and randY is.

    Args:
        noised: a dataset of ``rote.data.noising``.
        member: of which kind and draw of the noise, and draw of the examples count.

    Returns:
        ``noise_image`` (example, channel, row, column) and, where each image is scaled by itself,
        ``noise_inputs_per_grey_level`` (example); or ``noise_label`` (example).

    Raises:
        UserError: the data set has no such noise, or not for these draws.
    """
    name, seeds = member.noise_kind, (member.noise_seed, member.data_seed)
    what = replaces(noised, name)
    parts = ["image", PER_GREY_LEVEL] if what == "image" else ["label"]
    own = noised[[one for part in parts if (one := variable(part, name)) in noised]]
    if "draw" not in own.dims:
        given = own.sel(noise_seed=member.noise_seed, drop=True)
    else:
        pairs = zip(*(noised[f"draw_{of}_seed"].values for of in ("noise", "data")), strict=True)
        there = [i for i, pair in enumerate(pairs) if pair == seeds]
        if not there:
            raise UserError(
                f"The data set has {name} of no pair of noise_seed {seeds[0]} and data_seed "
                f"{seeds[1]}: add it to draws."
            )
        given = own.isel(draw=there[0])
    plain = {variable(part, name): f"noise_{part}" for part in parts}
    return given.rename({one: plain[one] for one in given.data_vars})


def draw_of(noised: xr.Dataset, member: Member) -> tuple[str, int, int | None]:
    """Return what tells the noise of a member apart: its name, its draw and perhaps the examples'.

    The last one is None where the noise does not depend on the examples.
    """
    name = member.noise_kind
    of_examples = "draw" in noised[variable(replaces(noised, name), name)].dims
    return name, member.noise_seed, member.data_seed if of_examples else None


def digest_of_code(kind: str) -> str:
    """Return the digest of the code by which a kind is drawn."""
    return code.digest([f"{__name__}.{kind}"])
