"""One run of the experiment complexity: members are trained, then searched for critical samples.

Parameters are kept at scheduled epochs, so that another radius or another number of iterations
trains nothing again. Each radius is searched by itself, and kept by itself, whatever others there
are: one that is added searches nothing again.
"""

import logging
from functools import partial
from itertools import chain

import numpy as np
import torch
import xarray as xr

from rote.files.store import Store, fingerprint
from rote.machine import device as devices
from rote.machine.errors import UserError
from rote.machine.progress import Progress
from rote.machine.randomness import seed_of
from rote.measures.critical_samples import (
    commonest_class_share,
    critical_samples,
    in_input_units,
)
from rote.models.kinds import Models
from rote.models.model import Model
from rote.models.workspace import Workspace
from rote.runs import training
from rote.runs.device_data import number_or_tensor
from rote.runs.grouping import SizeSearch
from rote.runs.members import compute_in_groups, keep, stored_or_computed
from rote.runs.searched_inputs import KINDS, determinants, searched_inputs
from rote.runs.variables import ATTRIBUTES
from rote.study import versions
from rote.study.plan import Member

logger = logging.getLogger(__name__)


def searches(search: dict) -> list[dict]:
    """Return the settings ``critical_samples`` of a run for each of its radii alone.

    The steps grow with the radius, ``alpha`` and ``beta`` being those of the first: ten steps of
    0.25 grey levels never reach the rim of a box of 3.
    """
    first, *_ = search["radius"]
    return [
        {
            **search,
            "radius": radius,
            # A first radius of 0 is the only one.
            **{name: search[name] * (radius / first if first else 1) for name in ("alpha", "beta")},
        }
        for radius in search["radius"]
    ]


def _keys(noised: xr.Dataset, settings: dict) -> tuple[list[str], list[list[str]]]:
    """Return the fingerprints of the members of a run: as trained, and as searched, by radius."""
    version, trained = versions.current("CRITICAL_SAMPLES"), training.member_keys(noised, settings)
    noise = [determinants(noised, Member(*member)) for member in settings["members"]]
    return trained, [
        [
            fingerprint(version=version, member=key, search=search, **own)
            for key, own in zip(trained, noise, strict=True)
        ]
        for search in searches(settings["critical_samples"])
    ]


def member_keys(noised: xr.Dataset, settings: dict) -> list[str]:
    """Return the fingerprints of the members of a run, as trained and as searched."""
    trained, searched = _keys(noised, settings)
    return [*trained, *chain.from_iterable(searched)]


def compute_run(
    noised: xr.Dataset,
    settings: dict,
    store: Store,
    *,
    name: str,
    device: str = "auto",
    checkpoint_seconds: float = 300.0,
) -> xr.Dataset:
    """Return a run of trained members, with their critical sample ratios.

    Args:
        noised: a dataset of ``rote.data.noising``.
        settings: those of ``rote.study.run_settings``.
        store: finished and unfinished members.
        name: what the lines of progress begin with.
        device: ``auto``, ``cpu`` or ``cuda``.
        checkpoint_seconds: time between two checkpoints of the members in training.

    Returns:
        What ``rote.runs.training`` returns and, beside it, ``critical_sample_ratio`` (member,
        radius, critical_epoch, critical_inputs): on real validation inputs (``real``), for members
        with noise in the inputs on noise of the same kind (``noise``) and, if asked for, on the
        first of the inputs that a member was trained on (``train``); missing for members that
        diverged. ``commonest_class_share`` (member, critical_epoch, critical_inputs) is that of
        the predictions at these inputs. For CNNs also ``filter`` (member, map, channel, filter_row,
        filter_column), those of the first layer at the last of the epochs.

    Raises:
        UserError: the device is missing or too small, the images are too small for a CNN, or
            logits of a module have no derivative by them.
    """
    members = [Member(*member) for member in settings["members"]]
    trained_keys, keys_of_radii = _keys(noised, settings)
    every_key = chain.from_iterable(keys_of_radii)
    trained_key = dict(zip(every_key, trained_keys * len(keys_of_radii), strict=True))
    stored = {key: store.load(key) for key in trained_key}
    models = None
    if any(found is None for found in stored.values()):
        models = Models(settings["model"], noised["image"].shape[1:], noised.sizes["class"])
        models.check_differentiable("the search for critical samples")  # before the training
    trained = training.compute_run(
        noised,
        settings,
        store,
        name=name,
        device=device,
        checkpoint_seconds=checkpoint_seconds,
        parameters_of={trained_key[key] for key in trained_key if stored[key] is None},
    )
    diverged = dict(zip(trained_keys, trained["diverged_epoch"].values.tolist(), strict=True))
    searched = []
    for search, keys in zip(searches(settings["critical_samples"]), keys_of_radii, strict=True):
        own = {**settings, "critical_samples": search}
        within = f"{name}, critical samples, radius {search['radius']:g}"
        compute = partial(
            _search_missing, noised, own, store, models, trained_key, diverged, within, device
        )
        searched.append(stored_or_computed(members, keys, stored.get, within, compute))
    # All but the ratio is the same at every radius.
    radii = "radius", settings["critical_samples"]["radius"], ATTRIBUTES["radius"]
    ratios = [each["critical_sample_ratio"].reset_coords(drop=True) for each in searched]
    ratio = xr.concat(ratios, xr.Variable(*radii)).transpose("member", "radius", ...)
    return trained.assign({**searched[0].data_vars, "critical_sample_ratio": ratio}).assign_coords(
        {dim: searched[0][dim] for dim in ("critical_epoch", "critical_inputs")}
    )


def _search_missing(
    noised: xr.Dataset,
    settings: dict,
    store: Store,
    models: Models,
    trained_key: dict[str, str],
    diverged: dict[str, int],
    name: str,
    device: str,
    missing: dict[str, Member],
) -> dict[str, xr.Dataset]:
    """Search the members of ``missing``, keep each in ``store``, return all."""
    search = settings["critical_samples"]
    chosen = devices.choose(device, "float32")
    kinds = KINDS if search["train_examples"] else KINDS[:-1]
    progress = Progress(name, len(missing) * len(search["epochs"]), logger.info)
    results = {}

    def search_one(group: list[str]) -> None:
        (key,) = group
        member = missing[key]
        inputs = {
            kind: (
                torch.from_numpy(images.astype(np.float32)).flatten(1).to(chosen),
                number_or_tensor(level, chosen),
            )
            for kind, (images, level) in searched_inputs(noised, search, member).items()
        }
        ratio = np.full((len(search["epochs"]), len(kinds)), np.nan)
        share = np.full_like(ratio, np.nan)
        for i, epoch in enumerate(search["epochs"]):
            parameters = store.load_parameters(trained_key[key], epoch)
            if parameters is None and not 0 < diverged[trained_key[key]] < epoch:
                raise UserError(
                    f"{name}: the parameters of a member after epoch {epoch} are not in the store "
                    "any more: run the same command again to have it trained anew."
                )
            if parameters is not None:  # else the member has left before
                model = model_of(models, parameters, member.initial_seed, chosen)
                for kind, (images, level) in inputs.items():
                    found = _search(level, search, model, images, member.order_seed, epoch)
                    ratio[i, kinds.index(kind)], share[i, kinds.index(kind)] = found
            left = f"{len(missing) - len(results)} of {len(missing)} members left"
            progress.advance(1, left)
        filters = None
        if models.architecture:
            filters = np.full(models.architecture.filters_shape, np.nan, np.float32)
            if parameters is not None:
                filters = model.filters[0].cpu().numpy()
        result = _as_dataset(search["epochs"], kinds, ratio, share, filters)
        results[key] = keep(result, store, key, member, settings, devices.describe(chosen))

    # Models are searched one by one, see rote.measures.critical_samples.
    one_by_one = SizeSearch.fixed(1)
    compute_in_groups(missing, results, one_by_one, search_one, lambda: None, name=name)
    return results


def model_of(
    models: Models, parameters: xr.Dataset, seed: int, device: torch.device | str = "cpu"
) -> Model:
    """Return an ensemble of one member with these parameters, as the store has them.

    ``seed`` is that by which it was initialised.
    """
    stacks = {
        name: torch.from_numpy(variable.values)[None].to(device)
        for name, variable in parameters.data_vars.items()
    }
    model = models.make(
        [stacks[f"parameter_{k}"] for k in range(len(stacks)) if f"parameter_{k}" in stacks],
        Workspace(device),
        [seed],
    )
    model.population = [stacks[f"buffer_{k}"] for k in range(len(model.population))]
    return model


def _search(
    grey_level: float | torch.Tensor,
    search: dict,
    model,
    inputs: torch.Tensor,
    seed: int,
    epoch: int,
) -> tuple[float, float]:
    """Return critical sample ratio and commonest class's share of a model, NaN if it is not finite.

    The random numbers are the same at every radius and on all kinds of inputs, so that no search
    depends on which others there are. ``grey_level`` is what one is in ``inputs``.
    """
    logits = partial(model.member_logits, 0)
    with torch.no_grad():
        if not logits(inputs[:1]).isfinite().all():
            return np.nan, np.nan
    critical = critical_samples(
        logits,
        inputs,
        **in_input_units(
            grey_level,
            **{name: search[name] for name in ("alpha", "beta", "radius")},
        ),
        max_iterations=search["max_iterations"],
        generator=torch.Generator(inputs.device).manual_seed(seed_of("LASS", seed, epoch)),
    )
    return critical.double().mean().item(), commonest_class_share(logits, inputs)


def _as_dataset(
    epochs: list[int],
    kinds: list[str],
    ratio: np.ndarray,
    share: np.ndarray,
    filters: np.ndarray | None,
) -> xr.Dataset:
    along = "critical_epoch", "critical_inputs"
    variables = {"critical_sample_ratio": (along, ratio), "commonest_class_share": (along, share)}
    if filters is not None:
        variables["filter"] = ("map", "channel", "filter_row", "filter_column"), filters
    return xr.Dataset(variables, coords={"critical_epoch": epochs, "critical_inputs": kinds})
