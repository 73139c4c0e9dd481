"""What folders of images do not give that experiments ask for, said before any image is read.

The rules ask, so this module imports nothing but the standard library until there is something to
look at.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from rote.data.listing import PARTS, listing
from rote.machine.errors import UserError
from rote.study import mistakes, own_data, plan
from rote.study.jobs import Study
from rote.study.sizes import Sizes


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


def unmet(study: Study) -> Iterator[str]:
    """Yield what the experiments of the preset ask of folders that do not give it: a sentence each.

    Asked are those that are yet to be read. Files of rote say by themselves what they hold, to the
    job that reads them.
    """
    experiments = plan.noised_datasets(study.presets[study.preset])
    for dataset, source in study.datasets.items():
        asking = {
            name: settings
            for name, settings in experiments.items()
            if settings["data"]["dataset"] == dataset
            and not Path(f"results/{study.preset}/datasets/{name}.nc").exists()
        }
        read = Path(own_data.copy_of(dataset)).exists()
        if source["source"] != "folder" or read or not asking:
            continue
        try:
            known = survey(Path(own_data.expanded(source["path"])))
        except UserError as error:
            yield str(error)
            continue
        reasons: dict[str, list[str]] = {}
        for name, settings in asking.items():
            for reason in mistakes.misfits(settings, known):
                reasons.setdefault(reason, []).append(name)
        for reason, names in reasons.items():
            yield f"presets.{study.preset} on {dataset}: {reason[:-1]} ({', '.join(names)})."


def check_folders(study: Study) -> None:
    """End Snakemake with all that :func:`unmet` yields, a line each, if it yields anything."""
    if sentences := [*unmet(study)]:
        sys.exit("\n".join(f"Error: {sentence}" for sentence in sentences))
