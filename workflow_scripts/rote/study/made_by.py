"""What every file of a study is made by: a digest of settings, of code and of what it is made from.

The digest of a file holds those of its inputs, so it tells apart whatever is different further up.
``rote.files.made_by`` writes it into the file, and reads it.
"""

import functools
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from rote.study import code, noises, notes, own_data, plan, versions
from rote.study.figures import EXPERIMENTS, FIGURES, full_title, runs_of_experiment

if TYPE_CHECKING:
    from rote.study.jobs import Study

TEMPLATES = {"write_pages": "page.html.jinja", "write_paper": "paper.md.jinja"}
WILDCARDS = "preset", "dataset", "noised", "experiment", "run", "figure"


def _once(method: Callable) -> Callable:
    """Have a method answer from memory: of a thousand runs, claims and gallery ask again."""

    @functools.wraps(method)
    def remembering(self, wildcards):
        key = method.__name__, *(getattr(wildcards, name, None) for name in WILDCARDS)
        if key not in self._known:
            self._known[key] = method(self, wildcards)
        return self._known[key]

    return remembering


def code_of(rule: str, wildcards, noising: Mapping | None = None) -> list:
    """Return the name of a rule and what its job computes by: versions, or the digest of its code.

    A job asks again, since the code may have been edited while Snakemake ran.

    Args:
        rule: its name.
        wildcards: those of the job.
        noising: the settings of a noised data set, for the job that draws its noise.
    """
    figure = getattr(wildcards, "figure", None)
    match rule:
        case "fetch_dataset":
            by = [versions.current("DATASET")]
        case "noise_dataset":
            by = [versions.current("NOISING")]
        case "compute_run":
            kind, observer = EXPERIMENTS[wildcards.experiment].computed_by(wildcards.run)
            by = [*map(versions.current, versions.OF_RUN[kind])]
            by += [versions.of_observer(name) for name in [observer] if name]
            assembly = versions.current("ASSEMBLY")
            by += [assembly] if assembly != 1 else []  # files of before it was counted stay
        case "extract_metrics":
            by = [code.digest([f"rote.metrics.{figure}", rule]), full_title(figure)]
        case "plot_figure":
            # The first words of a module are those of its figure's caption.
            module = f"rote.figures.{figure}"
            by = code.digest([module, rule]), code.first_words(module)
        case "write_pages" | "write_paper":
            template = code.PACKAGE / "claims" / TEMPLATES[rule]
            by = code.digest([rule]), notes.of_content(template)
        case _:
            by = [code.digest([rule])]
    return [rule, *by, *(_of_noises(noising) if noising else [])]


def _of_noises(data: Mapping) -> list[str]:
    """Return the digests of what draws noise: code that no version covers, and own files."""
    kinds = {noises.kind_of(name, data) for name in data["noise_kinds"]}
    modules = {f"rote.data.noises.{kind}" for kind in kinds} - {*versions.MODULES["NOISING"]}
    files = [
        Path(path) for own in data.get("noises", {}).values() for path in noises.paths(own).values()
    ]
    return [*map(notes.of_content, files), *([code.digest(modules)] if modules else [])]


class MadeBy:
    """The digests of the files of a study.

    Its methods take the ``wildcards`` of a job, as those of ``rote.study.jobs.Study`` do.
    """

    def __init__(self, study: "Study"):
        self.study, self._known = study, {}

    @_once
    def images_to_read(self, wildcards) -> str:
        """Return the digest of a folder of images for the job that reads it; "" if it is none."""
        source = self.study.source(wildcards)
        if source["source"] != "folder":
            return ""
        folder, read = Path(os.path.realpath(source["path"])), ""
        if not self.study.in_job and _is_gone(folder):  # what was read of it goes on
            read = own_data.images_in_copy(wildcards.dataset)
        return read or notes.of_images(folder)

    @_once
    def images(self, wildcards) -> str:
        """Return the same for other jobs: where they run, it is that of what they go on from."""
        read = self.study.in_job and own_data.images_in_copy(wildcards.dataset)
        return read or self.images_to_read(wildcards)

    @_once
    def dataset(self, wildcards) -> str:
        """Return the digest of what a data set is made by."""
        return self._dataset(wildcards, self.images(wildcards))

    @_once
    def dataset_to_read(self, wildcards) -> str:
        """Return the same for the job that reads it."""
        return self._dataset(wildcards, self.images_to_read(wildcards))

    def _dataset(self, wildcards, images: str) -> str:
        source = self.study.source(wildcards)
        own = [notes.of_content(Path(file)) for file in self.study.own_file(wildcards)]
        if source["source"] == "numpy":
            own.append(versions.NUMPY_FILE)
        if source["source"] == "folder":
            own.append(images)
        return _digest(source, code_of("fetch_dataset", wildcards), *own)

    @_once
    def noised(self, wildcards) -> str:
        """Return the digest of what a noised data set is made by."""
        dataset = SimpleNamespace(dataset=self.study.noised_settings(wildcards)["data"]["dataset"])
        return _digest(
            self.study.noising(wildcards),
            self.study.title_of_noised(wildcards),
            code_of("noise_dataset", wildcards),
            self.dataset(dataset),
            *_of_noises(self.study.noising(wildcards)),
        )

    @_once
    def run(self, wildcards) -> str:
        """Return the digest of what a run is made by."""
        noised = self.study.noised_of_run(wildcards)
        return _digest(
            self.study.run(wildcards),
            self.study.kind_of_run(wildcards),
            code_of("compute_run", wildcards),
            self.noised(SimpleNamespace(preset=wildcards.preset, noised=noised)),
        )

    @_once
    def metrics(self, wildcards) -> str:
        """Return the digest of what the metrics of a figure are made by."""
        experiment = FIGURES[wildcards.figure].experiment.name
        runs = FIGURES[wildcards.figure].runs(self.study.experiment(wildcards, experiment))
        jobs = (
            SimpleNamespace(preset=wildcards.preset, experiment=experiment, run=run) for run in runs
        )
        return _digest(code_of("extract_metrics", wildcards), [self.run(job) for job in jobs])

    @_once
    def figure(self, wildcards) -> str:
        """Return the digest of what a figure is made by."""
        return _digest(
            code_of("plot_figure", wildcards),
            self.study.drawing.made_by(wildcards),
            self.metrics(wildcards),
        )

    @_once
    def claims(self, wildcards) -> str:
        """Return the digest of what the claims are made by."""
        return _digest(
            self.study.config["claims"],
            self.study.dependent_on(wildcards),
            code_of("test_claims", wildcards),
            [self.metrics(job) for job in self._figures_of(wildcards)],
        )

    @_once
    def gallery(self, wildcards) -> str:
        """Return the digest of what the gallery is made by."""
        return _digest(
            code_of("write_gallery", wildcards),
            self.claims(wildcards),
            [self.figure(job) for job in self._figures_of(wildcards)],
        )

    @_once
    def paper(self, wildcards) -> str:
        """Return the digest of what ``paper.md`` is made by: of figures it has but their names."""
        return _digest(
            code_of("write_paper", wildcards),
            self.claims(wildcards),
            self.configuration(wildcards),
        )

    @_once
    def pages(self, wildcards) -> str:
        """Return the digest of what ``index.html`` and ``report.html`` are made by."""
        return _digest(
            code_of("write_pages", wildcards),
            self.claims(wildcards),
            self.configuration(wildcards),
            [self.figure(job) for job in self._figures_of(wildcards)],
        )

    @_once
    def configuration(self, wildcards) -> str:
        """Return the digest of the configuration of a preset."""
        return _digest(self.study.configuration_of(wildcards))

    def everything(self) -> dict[str, str]:
        """Return the digest of every file of the preset that the configuration names, by its path.

        Of a figure it is that of its caption, which is written with its pictures, and of the two
        pages with all figures that of ``index.html``.
        """
        name = self.study.preset
        preset, experiments = SimpleNamespace(preset=name), self.study.presets[name]
        expected, folder = {}, f"results/{name}"
        for noised, settings in plan.noised_datasets(experiments).items():
            dataset = settings["data"]["dataset"]
            expected[own_data.copy_of(dataset)] = self.dataset(SimpleNamespace(dataset=dataset))
            job = SimpleNamespace(preset=name, noised=noised)
            expected[f"{folder}/datasets/{noised}.nc"] = self.noised(job)
        for experiment, settings in experiments.items():
            for run in runs_of_experiment(experiment, settings):
                job = SimpleNamespace(preset=name, experiment=experiment, run=run)
                expected[f"{folder}/runs/{experiment}/{run}.nc"] = self.run(job)
        for job in self._figures_of(preset):
            expected[f"{folder}/metrics/{job.figure}.nc"] = self.metrics(job)
            expected[f"{folder}/figures/{job.figure}.txt"] = self.figure(job)
        expected[f"{folder}/claims.nc"] = self.claims(preset)
        expected[f"{folder}/gallery.md"] = self.gallery(preset)
        expected[f"{folder}/paper.md"] = self.paper(preset)
        expected[f"{folder}/index.html"] = self.pages(preset)
        expected[f"{folder}/config.yaml"] = self.configuration(preset)
        return expected

    def _figures_of(self, wildcards) -> list[SimpleNamespace]:
        figures = self.study.figures(wildcards.preset)
        return [SimpleNamespace(preset=wildcards.preset, figure=figure) for figure in figures]


def _is_gone(folder: Path) -> bool:
    try:
        return not folder.exists()
    except OSError:  # whoever reads it says why
        return False


def _digest(*parts: object) -> str:
    canonical = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
