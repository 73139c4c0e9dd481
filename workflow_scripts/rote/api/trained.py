"""Trained models: their curves, their logits, and the critical samples of them."""

import tempfile
import warnings
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from rote.api.settings import SEARCH, of_file
from rote.files.store import Store
from rote.machine import products
from rote.machine.errors import UserError, brief
from rote.models.kinds import Models
from rote.models.known_function import forget
from rote.runs import complexity, training
from rote.study.own_data import expanded
from rote.study.schema import check_part

PROBED_BYTES = 2**20  # which are written to a store to see that it has room


class CheckedStore(Store):
    """A store that is seen to be writable before what it lacks is computed for it.

    One that has everything may be read-only.
    """

    _writable = False

    def load(self, key: str) -> xr.Dataset | None:
        """Return the finished member of this fingerprint, or None.

        Raises:
            UserError: there is none, and the folder cannot be written to.
        """
        found = super().load(key)
        if found is None:
            self._check_writable()
        return found

    def has_parameters(self, key: str, epochs: list[int]) -> bool:
        """Return whether the parameters of a member are kept, undamaged, for all of ``epochs``.

        Raises:
            UserError: they are not, and the folder cannot be written to.
        """
        found = super().has_parameters(key, epochs)
        if not found:
            self._check_writable()
        return found

    def _check_writable(self) -> None:
        if self._writable:
            return
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root) as probe:
                probe.write(bytes(PROBED_BYTES))
        except OSError as error:
            raise UserError(
                f"The store {self.root} cannot be written to ({error.strerror or brief(error)}): "
                "free some space, see to the permissions, or give another folder as store; "
                "nothing was trained."
            ) from error
        self._writable = True


def kept(store: str | Path | None) -> tuple[Store, object]:
    """Return a store, and what has it stay: a folder that is deleted when nobody needs it.

    Raises:
        UserError: it is no path.
    """
    if store is not None:
        if not isinstance(store, str | Path):
            raise UserError(
                f"store is a {type(store).__name__}: give the path of a folder, or None."
            )
        # What is computed later, after a change of the working folder, belongs there, too.
        return CheckedStore(Path(expanded(store)).absolute()), None
    folder = tempfile.TemporaryDirectory(prefix="rote-")
    return CheckedStore(folder.name), folder


class Trained:
    """Trained models, see :func:`rote.api.train`.

    Attributes:
        curves: ``train_loss`` (nat), ``train_accuracy`` and ``validation_accuracy`` (member,
            epoch), ``diverged_epoch`` (member), with a ``threshold`` ``converged_epoch``, with a
            ``plateau`` ``plateau_epoch``, and what is recorded of examples; what tells members
            apart, such as ``noise_kind``, ``noise_level`` and ``seed``, as coordinates of
            ``member``.
        data: what they were trained on.
    """

    def __init__(self, data: xr.Dataset, settings: dict, store: Store, folder: object, device: str):
        self.data, self._settings, self._store, self._device = data, settings, store, device
        self._folder = folder  # which is there as long as this is
        weakref.finalize(self, forget, settings["model"])
        self.curves = training.compute_run(data, settings, store, name="api", device=device)

    @products.one_thread()
    def logits(self, images: np.ndarray | torch.Tensor, epoch: int | None = None) -> xr.DataArray:
        """Return logits (member, example, class), missing for models that diverged.

        Args:
            images: (n, channels, rows, columns) or flat, as models see them: those of ``data``, or
                new ones as :func:`rote.api.inputs` returns them. A warning says if they lie far
                outside of those of ``data``, as grey levels do.
            epoch: one of ``keep_epochs``; the last one if None.

        Raises:
            UserError: the models after this epoch were not kept, or images are of another size.
        """
        self._check_kept()
        if epoch is None:
            epoch = max(self._settings["keep_epochs"])
        if of_file(epoch) not in self._settings["keep_epochs"]:
            raise UserError(
                f"The models after epoch {epoch} were not kept: name it in keep_epochs of train."
            )
        if isinstance(images, torch.Tensor):
            images = images.detach().to("cpu", torch.float32)
        try:
            inputs = torch.from_numpy(np.asarray(images).astype(np.float32))
        except (ValueError, TypeError) as error:
            raise UserError(
                f"images are no array of numbers ({brief(error)}): give what api.inputs returns."
            ) from error
        image, classes = self.data["image"].shape[1:], self.data["class_name"].values
        if inputs.ndim < 2 or inputs[:1].numel() not in (0, np.prod(image)):
            raise UserError(
                f"images have the shape {tuple(inputs.shape)}, but models take {image} (channels, "
                "rows, columns), of many images: give them as api.inputs returns them."
            )
        inputs = inputs.flatten(1)
        _warn_of_grey_levels(inputs.numpy(), self.data["image"].values)
        keys = training.member_keys(self.data, self._settings)
        # A store may have them from elsewhere, without their parameters.
        training.compute_run(
            self.data,
            self._settings,
            self._store,
            name="api",
            device=self._device,
            parameters_of={*keys},
        )
        found = np.full((len(keys), len(inputs), len(classes)), np.nan, np.float32)
        models = Models(self._settings["model"], image, len(classes))
        seeds = self.curves["initial_seed"].values.tolist()
        for own, key, seed in zip(found, keys, seeds, strict=True):
            parameters = self._store.load_parameters(key, epoch)
            if parameters is not None:  # else it diverged before
                model = complexity.model_of(models, parameters, seed)
                with torch.no_grad():
                    own[:] = model.member_logits(0, inputs).numpy()
        members = {name: own for name, own in self.curves.coords.items() if own.dims == ("member",)}
        return xr.DataArray(found, {**members, "class": classes}, ("member", "example", "class"))

    @products.one_thread()
    def critical_samples(
        self,
        *,
        examples: int,
        radius: float | Sequence[float] = 0.3,
        alpha: float = 0.25,
        beta: float = 0.2,
        max_iterations: int = 10,
        train_examples: int = 0,
    ) -> xr.Dataset:
        """Return the ratios of critical samples after each of ``keep_epochs``.

        Args:
            examples: validation inputs searched.
            radius: r in grey levels; several, of which α and β are for the first.
            alpha: α in grey levels.
            beta: β in grey levels.
            max_iterations: steps of the search.
            train_examples: training inputs searched, too.

        Returns:
            ``critical_sample_ratio`` (member, radius, critical_epoch, critical_inputs) and
            ``commonest_class_share``, see :func:`rote.runs.complexity.compute_run`.

        Raises:
            UserError: a number does not fit, or there are fewer inputs.
        """
        self._check_kept()
        search = of_file(
            {
                "alpha": alpha,
                "beta": beta,
                "radius": radius,
                "max_iterations": max_iterations,
                "examples": examples,
                "train_examples": train_examples,
            }
        )
        check_part({"critical_samples": search}, SEARCH)
        for key, part, along in (
            ("examples", "validation", "validation_example"),
            ("train_examples", "train", "example"),
        ):
            if search[key] > (there := self.data.sizes[along]):
                raise UserError(
                    f"{key} is {search[key]}, but the data has {there} {part} examples: lower it, "
                    f"or raise {part}_examples of the data."
                )
        search["radius"] = [float(own) for own in np.atleast_1d(search["radius"])]
        search["epochs"] = self._settings["keep_epochs"]
        own = {**self._settings, "critical_samples": search}
        run = complexity.compute_run(self.data, own, self._store, name="api", device=self._device)
        return run[["critical_sample_ratio", "commonest_class_share"]]

    def _check_kept(self) -> None:
        """Check that models were trained to the last epoch, after which they are kept."""
        for name in ("threshold", "plateau"):
            if name in self._settings["training"]:
                raise UserError(
                    f"Models that end at a {name} have curves alone, since they leave before the "
                    f"epochs after which models are kept: train without {name}."
                )


def _warn_of_grey_levels(inputs: np.ndarray, known: np.ndarray) -> None:
    """Warn of inputs further outside of those that are known than these are from each other."""
    if not inputs.size:
        return
    low, high = known.min(), known.max()
    if max(inputs.max() - high, low - inputs.min()) > high - low:
        warnings.warn(
            f"images hold numbers from {inputs.min():g} to {inputs.max():g}, but those of the data "
            f"are from {low:g} to {high:g}: give grey levels to rote.api.inputs first.",
            stacklevel=4,
        )
