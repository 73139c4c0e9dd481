"""What of a study comes first."""

import functools
from types import SimpleNamespace
from typing import TYPE_CHECKING

from rote.study.figures import FIGURES, runs_of_experiment

if TYPE_CHECKING:
    from rote.study.jobs import Study


@functools.cache
def quickest(study: "Study", preset: str) -> frozenset[tuple[str, str]]:
    """Return experiment and name of the runs behind the figure of a preset with the least work.

    None if there is a single figure: then nothing is to be looked at before all is there.
    """
    runs, work = {}, {}
    for figure in study.figures(preset):
        experiment = FIGURES[figure].experiment.name
        names = FIGURES[figure].runs(study.presets[preset][experiment])
        jobs = [SimpleNamespace(preset=preset, experiment=experiment, run=run) for run in names]
        runs[figure] = frozenset((experiment, run) for run in names)
        work[figure] = sum(map(study.expected_multiply_adds, jobs))
    return runs[min(work, key=work.get)] if len(work) > 1 else frozenset()


@functools.cache
def of_noised(study: "Study", preset: str) -> dict[str, int]:
    """Return the priority of each noised data set of a preset, the highest of its runs."""
    rank = {}
    for experiment, settings in study.presets[preset].items():
        for run in runs_of_experiment(experiment, settings):
            job = SimpleNamespace(preset=preset, experiment=experiment, run=run)
            noised = study.noised_of_run(job)
            rank[noised] = max(rank.get(noised, 0), study.rank_of_run(job))
    return rank
