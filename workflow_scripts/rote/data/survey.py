"""What images of the user's own do not give that experiments ask for, said before anything runs.

The rules ask, so this module imports nothing but the standard library until there is something to
look at.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from rote.files import made_by
from rote.machine.errors import UserError
from rote.study import mistakes, own_data, plan
from rote.study.image_folder import PARTS, listing
from rote.study.jobs import Study
from rote.study.sizes import Sizes, published


def survey(root: Path) -> Sizes:
    """Return the sizes of a folder: how many images and classes, and those of the first image.

    Raises:
        UserError: a part or a class is missing, or the first image cannot be read.
    """
    from rote.data.folder import read_image  # not at every start

    images = listing(root).images
    counts = [sum(map(len, images.get(part, {}).values())) for part in PARTS]
    first = next(iter(images["train"].values()))[0]
    return Sizes(*read_image(first).shape, *counts, classes=len(images["train"]))


def sizes_of_copy(path: Path) -> Sizes | None:
    """Return the sizes of what rote has read into a file; None if it is damaged, as its job says.

    The images themselves are not read, which would take long.
    """
    import numpy as np  # not at every start
    import xarray as xr

    from rote.files import netcdf

    try:
        netcdf.check_seal(path)
        with xr.open_dataset(path, engine="netcdf4") as copy:
            counts = np.bincount(copy["split"].values, minlength=len(PARTS)).tolist()
            return Sizes(*copy["image"].shape[1:], *counts, classes=copy.sizes["class"])
    except (OSError, UserError):
        return None


def unmet(study: Study) -> Iterator[str]:
    """Yield what the experiments of the preset ask of images that do not give it: a sentence each.

    Asked are those whose noised data is yet to be made. Known are the images of rote's copy, and of
    folders; of other files that are yet to be read, the job says it that draws from them.
    """
    experiments = plan.noised_datasets(study.presets[study.preset])
    for dataset, source in study.datasets.items():
        asking = {
            name: settings
            for name, settings in experiments.items()
            if settings["data"]["dataset"] == dataset and not _made(study, name)
        }
        if published(source) or not asking:
            continue
        copy, known = Path(own_data.copy_of(dataset)), None
        if made_by.read(copy) == study.made_by.dataset(SimpleNamespace(dataset=dataset)):
            known = sizes_of_copy(copy)
        elif source["source"] == "folder":
            try:
                known = survey(Path(own_data.expanded(source["path"])))
            except UserError as error:
                yield str(error)
        if not known:
            continue
        reasons: dict[str, list[str]] = {}
        for name, settings in asking.items():
            for reason in mistakes.misfits(settings, known):
                reasons.setdefault(reason, []).append(name)
        for reason, names in reasons.items():
            yield f"presets.{study.preset} on {dataset}: {reason[:-1]} ({', '.join(names)})."


def _made(study: Study, noised: str) -> bool:
    """Return whether a noised data set is there, and made by the settings as they are."""
    path = Path(f"results/{study.preset}/datasets/{noised}.nc")
    job = SimpleNamespace(preset=study.preset, noised=noised)
    return path.exists() and made_by.read(path) == study.made_by.noised(job)


def check_images(study: Study) -> None:
    """End Snakemake with all that :func:`unmet` yields, a line each, if it yields anything."""
    if sentences := [*unmet(study)]:
        sys.exit("\n".join(f"Error: {sentence}" for sentence in sentences))
