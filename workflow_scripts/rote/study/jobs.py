"""What Snakemake's rules ask: the inputs, the settings, the memory and the rank of every job.

A rule passes its wildcards, and gets what it declares.
"""

import functools
import json
import math
import os
from collections.abc import Callable, Iterable
from types import SimpleNamespace

from rote.machine.errors import UserError
from rote.study import drawing, noises, own_data, plan, ranks, run_settings, sizes, stability, work
from rote.study.answers import answer
from rote.study.figures import EXPERIMENTS, FIGURES, impossible, runs_of_experiment, title
from rote.study.made_by import MadeBy, code_of

PICTURES = "png", "pdf", "txt"
LIBRARIES_MB = 4000  # of a job that trains or measures
NUMBER = 4  # bytes of a float32
STORE = "results/store"  # of finished members, for all presets


class Study:
    """The answers that a checked configuration gives.

    Every method takes the ``wildcards`` of a job, an object with their values as attributes.

    Args:
        config: what ``rote.study.configuration.load`` returned.
        asked: called before an answer: Snakemake has read its options by then, and not before.
        in_job: whether a job of Snakemake asks, which goes by what there was when that started.
    """

    FIRST = 1000  # the priority of what is quickly done, and what others wait for
    # Of a whole study, beside its figures.
    PAGES = "claims.nc", "gallery.md", "paper.md", "config.yaml", "index.html"
    all_figures = tuple(FIGURES)

    def __init__(
        self, config: dict, asked: Callable[[], None] = lambda: None, *, in_job: bool = False
    ):
        self.config, self.preset, self._asked = config, config["preset"], asked
        self.in_job = in_job
        self.presets, self.datasets = config["presets"], config["datasets"]
        self._runs: dict[tuple[str, str], dict[str, None]] = {}
        self.made_by, self.drawing = MadeBy(self), drawing.Drawing(config)

    def wildcards(self) -> dict[str, str]:
        """Return regular expressions that tell the parts of paths apart."""
        cases = {
            case
            for preset in self.presets.values()
            for case in preset.get("complexity", {}).get("cases", ())
        }
        noised = {name for preset in self.presets.values() for name in plan.noised_datasets(preset)}
        words = [
            "class",
            "unique",
            "none",
            "cnn",
            "module",
            "left-out",
            "left-out-more",
            "proxies",
            *plan.REGULARIZERS,
            "adversarial_dropout",
        ]
        return {
            "preset": _any_of(self.presets),
            "dataset": _any_of(self.datasets),
            "experiment": _any_of(EXPERIMENTS),
            "figure": _any_of(FIGURES),
            "noised": _any_of(noised),
            "run": r"(?:examples|percent|epochs)-[1-9]\d*|units(?:-[1-9]\d*)+|"
            + _any_of([*words, *sorted(cases)]),
        }

    # Data sets.

    def own_files(self) -> list[str]:
        """Return the user's own NetCDF and NumPy files that the preset draws from."""
        noised = plan.noised_datasets(self.presets[self.preset]).values()
        names = sorted({settings["data"]["dataset"] for settings in noised})
        return [file for name in names for file in self.own_file(SimpleNamespace(dataset=name))]

    @answer
    def source(self, wildcards) -> dict:
        """Return where the images of a data set come from."""
        block = {**self.datasets[wildcards.dataset]}
        del block["title"]
        if "path" in block:
            block["path"] = own_data.expanded(block["path"])
        return block

    def code_of(self, rule: str) -> Callable[[object], list]:
        """Return a function that returns what a rule's job computes by."""
        if rule == "noise_dataset":
            return lambda wildcards: code_of(rule, wildcards, self.noising(wildcards))
        return functools.partial(code_of, rule)

    @answer
    def own_file(self, wildcards) -> list[str]:
        """Return the user's own file that a data set is read from, if it is from one."""
        source = self.datasets[wildcards.dataset]
        own_data.check(wildcards.dataset, self.datasets)
        if source["source"] not in own_data.KINDS:
            return []
        return [os.path.realpath(own_data.expanded(source["path"]))]

    @answer
    def images_of_noised(self, wildcards) -> str:
        """Return the file of the data set that a noised one is drawn from."""
        return own_data.copy_of(self.noised_settings(wildcards)["data"]["dataset"])

    @answer
    def noising(self, wildcards) -> dict:
        """Return the settings of a noised data set."""
        return self._data_settings(self.noised_settings(wildcards))

    @answer
    def title_of_noised(self, wildcards) -> str:
        """Return what figures call the data set that a noised one is drawn from."""
        return self.datasets[self.noised_settings(wildcards)["data"]["dataset"]]["title"]

    @answer
    def memory_of_noising(self, wildcards, attempt: int) -> int:
        """Return megabytes: images of a folder may be larger than counted, so more each time."""
        return 2 ** (attempt - 1) * (1000 + 2 * self._megabytes(wildcards.preset, wildcards.noised))

    # Runs.

    @answer
    def file_of_noised(self, wildcards) -> str:
        """Return the file of the noised data set that a run trains on."""
        self._check_run(wildcards, self.experiment(wildcards, wildcards.experiment))
        return f"results/{wildcards.preset}/datasets/{self.noised_of_run(wildcards)}.nc"

    def noised_of_run(self, wildcards) -> str:
        """Return the name of the noised data set that a run trains on."""
        settings = self.experiment(wildcards, wildcards.experiment)
        return plan.noised_of_run(wildcards.experiment, settings, wildcards.run)

    @answer
    def run(self, wildcards) -> dict:
        """Return what a run depends on beside its data."""
        settings = self.experiment(wildcards, wildcards.experiment)
        self._check_run(wildcards, settings)
        precision = self.config["precision"]
        return run_settings.of_run(wildcards.experiment, settings, wildcards.run, precision)

    def kind_of_run(self, wildcards) -> str:
        """Return the module of ``rote.runs`` that computes a run."""
        kind, _ = EXPERIMENTS[wildcards.experiment].computed_by(wildcards.run)
        return kind

    @answer
    def memory_of_run(self, wildcards, attempt: int) -> int:
        """Return megabytes: libraries, the data as it is read and as it is used, and records."""
        data = self._megabytes(wildcards.preset, self.noised_of_run(wildcards))
        run, (shape, settings) = self.run(wildcards), self.inputs_of_run(wildcards)
        kept = work.recorded_bytes(run, settings["train_examples"])
        kept += work.subsets_bytes(run, shape, settings)
        # Of all members, and once more while they become one dataset.
        records = 2 * kept // 10**6
        return 2 ** (attempt - 1) * (LIBRARIES_MB + 2 * data + records)

    @answer
    def rank_of_run(self, wildcards) -> int:
        """Return a priority, larger for what takes longer, so that nothing long starts last.

        But first comes the figure that takes the least: it is there to be looked at meanwhile.
        """
        if (wildcards.experiment, wildcards.run) in ranks.quickest(self, wildcards.preset):
            return self.FIRST - 1
        return 1 + int(10 * math.log2(self.expected_multiply_adds(wildcards)))

    @answer
    def rank_of_noised(self, wildcards) -> int:
        """Return the priority of a noised data set: that of the longest run that waits for it.

        So the longest run starts once its own data is there, before that of others is.
        """
        return ranks.of_noised(self, wildcards.preset).get(wildcards.noised, 0)

    @answer
    def multiply_adds(self, wildcards) -> int:
        """Return the multiply-adds of a run, counted to its limit."""
        return work.of_run(self.run(wildcards), *self.inputs_of_run(wildcards))

    @answer
    def expected_multiply_adds(self, wildcards) -> int:
        """Return the multiply-adds of a run that may end before its limit."""
        return work.expected_of_run(self.run(wildcards), *self.inputs_of_run(wildcards))

    @answer
    def inputs_of_run(self, wildcards) -> tuple[tuple[int, int, int], dict]:
        """Return (channels, rows, columns) of the inputs of a run, and the settings of its data."""
        return self._inputs(wildcards.preset, self.noised_of_run(wildcards))

    def computed(self, wildcards) -> str:
        """Return how a run is computed, as JSON: what of the configuration changes no number."""
        names = "device", "products", "checkpoint_seconds", "reuse"
        return json.dumps({**{name: self.config[name] for name in names}, "store": STORE})

    def gpus(self) -> int:
        """Return the number of GPUs that a run asks for."""
        return int(self.config["device"] != "cpu")

    # Figures and pages.

    @answer
    def runs_of_figure(self, wildcards) -> list[str]:
        """Return the files of the runs that a figure is drawn from."""
        preset, figure = wildcards.preset, wildcards.figure
        experiment = FIGURES[figure].experiment.name
        settings = self.experiment(wildcards, experiment)
        if why := impossible(self.presets[preset]).get(figure):
            raise UserError(f"config: presets.{preset}: {why}")
        runs = FIGURES[figure].runs(settings)
        return [f"results/{preset}/runs/{experiment}/{run}.nc" for run in runs]

    def title_of_figure(self, wildcards) -> str:
        """Return what people call a figure."""
        return title(wildcards.figure)

    def shown_by_figure(self, wildcards) -> dict[str, str]:
        """Return what a figure shows, for the list of results in the report."""
        return {"shows": FIGURES[wildcards.figure].shows}

    def figures(self, preset: str | None = None) -> list[str]:
        """Return the figures that can be drawn from the experiments of a preset."""
        experiments = self.presets[preset or self.preset]
        excluded = impossible(experiments)
        return [
            figure
            for figure, entry in FIGURES.items()
            if entry.experiment.name in experiments and figure not in excluded
        ]

    def pictures(self, figure: str) -> list[str]:
        """Return the pictures of a figure and its caption, of the preset that is configured."""
        return [f"results/{self.preset}/figures/{figure}.{kind}" for kind in PICTURES]

    def files_of(self, figure: str) -> Callable[[object], list[str]]:
        """Return a function that returns the files of a figure, its metrics and its runs.

        They are of the preset that the configuration names. All of them are a target of the user's:
        if it were the pictures alone, Snakemake would not miss what they were drawn from.
        """

        def files(wildcards: object) -> list[str]:
            job = SimpleNamespace(preset=self.preset, figure=figure)
            metrics = f"results/{self.preset}/metrics/{figure}.nc"
            return [*self.pictures(figure), metrics, *self.runs_of_figure(job)]

        return files

    def all_files(self, wildcards: object) -> list[str]:
        """Return the same of all figures that can be drawn."""
        files = [file for figure in self.figures() for file in self.files_of(figure)(wildcards)]
        return list(dict.fromkeys(files))

    def of_each_figure(self, file: str) -> Callable[[object], list[str]]:
        """Return a function that returns a file of each figure of a preset, ``{}`` in its path."""
        return lambda wildcards: [
            f"results/{wildcards.preset}/{file.format(figure)}"
            for figure in self.figures(wildcards.preset)
        ]

    def page(self, name: str) -> str:
        """Return a page of the whole study, of the preset that the configuration names."""
        return f"results/{self.preset}/{name}"

    def pages(self) -> list[str]:
        """Return all pages of the whole study."""
        return [self.page(name) for name in self.PAGES]

    @answer
    def dependent_on(self, wildcards) -> dict[str, list[str]]:
        """Return the settings on which the verdict of a part of a claim depends, by the part."""
        return stability.dependent_on(wildcards.preset)

    def configuration_of(self, wildcards) -> dict:
        """Return the configuration of a preset, without those of others."""
        preset = wildcards.preset
        return {**self.config, "preset": preset, "presets": {preset: self.presets[preset]}}

    def experiment(self, wildcards, experiment: str) -> dict:
        """Return the settings of an experiment of a preset."""
        return self._one(wildcards.preset, experiment, self.presets[wildcards.preset])

    def noised_settings(self, wildcards) -> dict:
        """Return the settings of whoever trains on a noised data set."""
        return self._noised_by_name(wildcards.preset, wildcards.noised)

    def _noised_by_name(self, preset: str, name: str) -> dict:
        return self._one(preset, name, plan.noised_datasets(self.presets[preset]))

    def _inputs(self, preset: str, noised: str) -> tuple[tuple[int, int, int], dict]:
        """Return (channels, rows, columns) of the inputs of a noised data set, and its settings."""
        data = self._data_settings(self._noised_by_name(preset, noised))
        source = self.datasets[data["dataset"]]
        return work.image(source, data), {**data, "classes": work.classes_of(source)}

    def _data_settings(self, settings: dict) -> dict:
        """Return what a noised data set depends on, by the settings of who trains on it."""
        data = plan.data_settings(settings)
        own = noises.used(data["noise_kinds"], self.config.get("noises", {}))
        return {**data, "noises": own} if own else data

    def _one(self, preset: str, name: str, there: dict) -> dict:
        if name not in there:
            raise UserError(
                f"config: preset {preset} has no experiment {name}: add "
                f"presets.{preset}.{plan.settings_key(name)}."
            )
        return there[name]

    def _check_run(self, wildcards, settings: dict) -> None:
        key = wildcards.preset, wildcards.experiment
        if key not in self._runs:  # once: there may be a thousand
            runs = runs_of_experiment(wildcards.experiment, settings)
            self._runs[key] = dict.fromkeys(runs)
        known = self._runs[key]
        if wildcards.run not in known:
            raise UserError(
                f"{wildcards.experiment} has no run {wildcards.run}: choose one of "
                f"{', '.join(known)}."
            )

    def _megabytes(self, preset: str, noised: str) -> int:
        """Return the size of a noised data set in memory."""
        shape, data = self._inputs(preset, noised)
        drawn = len(data.get("draws", data["noise_seeds"])) * sum(
            noises.replaces(name, data) == "image" for name in data["noise_kinds"]
        )
        # Real inputs are unpacked to float64, noise is kept in float32.
        of_draw = data["train_examples"] + data["validation_examples"]
        pool = len(data["data_seeds"]) * of_draw  # or less, where draws share images
        if known := sizes.published(self.datasets[data["dataset"]]):
            pool = min(pool, known.train + known.test)
        real = 2 * NUMBER * pool
        return math.prod(shape) * (real + NUMBER * drawn * data["train_examples"]) // 10**6


def _any_of(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(names)})"
