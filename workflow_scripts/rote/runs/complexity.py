"""One run of the experiment complexity: members are trained, then searched for critical samples.

Parameters are kept at scheduled epochs, so that another radius or another number of iterations
trains nothing again.
"""

import logging

import numpy as np
import torch
import xarray as xr

from rote.data.scaling import per_grey_level, scale_noise
from rote.files.store import Store, fingerprint
from rote.machine import device as devices
from rote.machine.errors import UserError
from rote.machine.progress import Progress
from rote.machine.randomness import generator, seed_of
from rote.measures.critical_samples import critical_samples, in_input_units
from rote.models.kinds import Models
from rote.models.workspace import Workspace
from rote.runs import training
from rote.runs.device_data import number_or_tensor
from rote.runs.grouping import SizeSearch
from rote.runs.members import compute_in_groups, keep, stored_or_computed
from rote.study import versions
from rote.study.plan import Member

logger = logging.getLogger(__name__)

INPUTS = ["real", "noise"]


def _keys(noised: xr.Dataset, settings: dict) -> tuple[list[str], list[str]]:
    """Return the fingerprints of the members of a run, as trained and as searched."""
    version, search = versions.current("CRITICAL_SAMPLES"), settings["critical_samples"]
    trained = training.member_keys(noised, settings)
    return trained, [fingerprint(version=version, member=key, search=search) for key in trained]


def member_keys(noised: xr.Dataset, settings: dict) -> list[str]:
    """Return the fingerprints of the members of a run, as trained and as searched."""
    trained, searched = _keys(noised, settings)
    return [*trained, *searched]


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
        critical_epoch, critical_inputs): on real validation inputs and, for members with noise in
        the inputs, on noise of the same kind; missing for members that diverged. For CNNs also
        ``filter`` (member, map, channel, filter_row, filter_column), those of the first layer at
        the last of the epochs.

    Raises:
        UserError: the device is missing or too small, or the images are too small for a CNN.
    """
    members = [Member(*member) for member in settings["members"]]
    trained_keys, keys = _keys(noised, settings)
    trained_key = dict(zip(keys, trained_keys, strict=True))
    stored = {key: store.load(key) for key in keys}
    trained = training.compute_run(
        noised,
        settings,
        store,
        name=name,
        device=device,
        checkpoint_seconds=checkpoint_seconds,
        parameters_of={trained_key[key] for key in keys if stored[key] is None},
    )
    diverged = dict(zip(keys, trained["diverged_epoch"].values.tolist(), strict=True))
    ratios = stored_or_computed(
        members,
        keys,
        stored.get,
        f"{name}, critical samples",
        lambda missing: _search_missing(
            noised, settings, store, missing, trained_key, diverged, name, device
        ),
    )
    return trained.assign(ratios.data_vars).assign_coords(
        {dim: ratios[dim] for dim in ("critical_epoch", "critical_inputs")}
    )


def _search_missing(
    noised: xr.Dataset,
    settings: dict,
    store: Store,
    missing: dict[str, Member],
    trained_key: dict[str, str],
    diverged: dict[str, int],
    name: str,
    device: str,
) -> dict[str, xr.Dataset]:
    """Search the members of ``missing``, keep each in ``store``, return all."""
    search = settings["critical_samples"]
    chosen = devices.choose(device, "float32")
    models = Models(settings["model"], noised["image"].shape[1:], noised.sizes["class"])
    searched = noised.isel(validation_example=slice(search["examples"]))
    real = searched["validation_image"].values.astype(np.float32)
    real = torch.from_numpy(real).flatten(1).to(chosen)
    real_level = number_or_tensor(per_grey_level(searched, "validation_"), chosen)
    progress = Progress(
        f"{name}, critical samples", len(missing) * len(search["epochs"]), logger.info
    )
    results = {}

    def search_one(group: list[str]) -> None:
        (key,) = group
        member, inputs = missing[key], {"real": (real, real_level)}
        if member.noise_kind == "randX":
            inputs["noise"] = _noise(noised, real, member.noise_seed)
        ratio = np.full((len(search["epochs"]), len(INPUTS)), np.nan)
        for i, epoch in enumerate(search["epochs"]):
            parameters = store.load_parameters(trained_key[key], epoch)
            if parameters is None and not 0 < diverged[key] < epoch:
                raise UserError(
                    f"{name}: the parameters of a member after epoch {epoch} are not in the store "
                    "any more: run the same command again to have it trained anew."
                )
            if parameters is not None:  # else the member has left before
                model = _model(models, parameters, chosen)
                for kind, (images, level) in inputs.items():
                    found = _search(level, search, model, images, member.seed, epoch)
                    ratio[i, INPUTS.index(kind)] = found
            left = f"{len(missing) - len(results)} of {len(missing)} members left"
            progress.advance(1, left)
        filters = None
        if models.architecture:
            filters = np.full(models.architecture.filters_shape, np.nan, np.float32)
            if parameters is not None:
                filters = model.filters[0].cpu().numpy()
        result = _as_dataset(search["epochs"], ratio, filters)
        results[key] = keep(result, store, key, member, settings, devices.describe(chosen))

    # Models are searched one by one, see rote.measures.critical_samples.
    one_by_one = SizeSearch.fixed(1)
    compute_in_groups(missing, results, one_by_one, search_one, lambda: None, name=name)
    return results


def _noise(
    noised: xr.Dataset, like: torch.Tensor, noise_seed: int
) -> tuple[torch.Tensor, float | torch.Tensor]:
    """Return inputs of noise as randX trains on, but others, and what a grey level is in them."""
    shape = len(like), *noised["image"].shape[1:]
    drawn = generator("randX validation", noise_seed).standard_normal(shape, np.float32)
    levels = scale_noise(drawn, noised.attrs)
    level = per_grey_level(noised) if levels is None else levels[:, None]
    images = torch.from_numpy(drawn).flatten(1).to(like.device)
    return images, number_or_tensor(level, like.device)


def _model(models: Models, parameters: xr.Dataset, device: torch.device):
    """Return an ensemble of one member with these parameters."""
    stacks = {
        name: torch.from_numpy(variable.values)[None].to(device)
        for name, variable in parameters.data_vars.items()
    }
    model = models.make(
        [stacks[f"parameter_{k}"] for k in range(len(stacks)) if f"parameter_{k}" in stacks],
        Workspace(device),
    )
    model.buffers = [stacks[f"buffer_{k}"] for k in range(len(model.buffers))]
    return model


def _search(
    grey_level: float | torch.Tensor,
    search: dict,
    model,
    inputs: torch.Tensor,
    seed: int,
    epoch: int,
) -> float:
    """Return the critical sample ratio of a model, NaN if its parameters are not finite."""
    with torch.no_grad():
        if not model.member_logits(0, inputs[:1]).isfinite().all():
            return np.nan
    critical = critical_samples(
        lambda x: model.member_logits(0, x),
        inputs,
        **in_input_units(
            grey_level,
            **{name: search[name] for name in ("alpha", "beta", "radius")},
        ),
        max_iterations=search["max_iterations"],
        generator=torch.Generator(inputs.device).manual_seed(seed_of("LASS", seed, epoch)),
    )
    return critical.double().mean().item()


def _as_dataset(epochs: list[int], ratio: np.ndarray, filters: np.ndarray | None) -> xr.Dataset:
    variables = {"critical_sample_ratio": (("critical_epoch", "critical_inputs"), ratio)}
    if filters is not None:
        variables["filter"] = ("map", "channel", "filter_row", "filter_column"), filters
    return xr.Dataset(variables, coords={"critical_epoch": epochs, "critical_inputs": INPUTS})
