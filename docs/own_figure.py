"""A figure of one's own, from the result files alone.

The poster shows that on real data some examples are hard from the first epoch on (Figure 3.1), and
that some matter more to the loss than others (Figure 3.2). It does not ask whether these are the
same examples. Both files know each example by its index in the original data set, and the seed by
which it was drawn, so xarray can bring them together:

    snakemake fig3_1 fig3_2 && python docs/own_figure.py results/demo mine.png
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.backend_bases import FigureCanvasBase
from scipy.stats import spearmanr

CONDITIONS = {"real": "#1b3f8b", "randX": "#cf3a28"}


def opened(path: Path, target: str) -> xr.Dataset:
    """Return the content of a result file, or end with a sentence that says how to get it."""
    try:
        return xr.load_dataset(path, engine="netcdf4")
    except FileNotFoundError:
        sys.exit(
            f"Error: {path} is missing: make it with snakemake {target}, or name another folder."
        )
    except OSError as error:
        sys.exit(
            f"Error: {path} cannot be read as NetCDF ({error.strerror}): delete it and run "
            f"snakemake {target}."
        )


def difficulty(results: Path) -> xr.DataArray:
    """Return how often each example is wrong after one epoch (condition, drawn).

    Each seed has drawn its own examples: ``drawn`` are the pairs of ``seed`` and ``index``.
    """
    metrics = opened(results / "metrics" / "fig3_1.nc", "fig3_1")
    rate = metrics["misclassification_rate"].isel(learning_rate=0, missing_dims="ignore")
    rate = rate.drop_vars("label", errors="ignore")
    rate = rate.stack(drawn=["seed", "example"], create_index=False)
    return rate.set_index(drawn=["seed", "index"]).assign_attrs(dataset=metrics.attrs["dataset"])


def importance(results: Path) -> xr.DataArray:
    """Return the mean loss-sensitivity of each example over training (condition, drawn).

    A run holds all models of one shape along ``member``; coordinates say what each was trained on,
    and ``index`` (member, example) on which examples.
    """
    run = opened(results / "runs" / "sensitivity" / "class.nc", "fig3_2")
    if "l1" not in run["norm"]:
        sys.exit("Error: the sensitivities are not in the norm l1: add it to sensitivity.norms.")
    mean = run["sensitivity"].sel(norm="l1", drop=True).mean("update")
    # Figure 3.1 has noise for all of the examples or for none.
    whole = (run["noise_kind"] == "real") | (run["noise_level"] == 1)
    table = mean.isel(member=whole).set_index(member=["noise_kind", "seed"]).unstack("member")
    table = table.rename(noise_kind="condition")
    # The conditions of a seed have the same examples.
    table = table.assign_coords(index=table["index"].isel(condition=0, drop=True))
    table = table.stack(drawn=["seed", "example"], create_index=False)
    return table.set_index(drawn=["seed", "index"]).assign_attrs(dataset=run.attrs["dataset"])


def draw(results: Path) -> plt.Figure:
    """Draw importance against difficulty, a panel for each condition."""
    wrong, matters = difficulty(results), importance(results)
    if wrong.attrs["dataset"] != matters.attrs["dataset"]:
        sys.exit(
            f"Error: Figure 3.1 shows {wrong.attrs['dataset']} and Figure 3.2 "
            f"{matters.attrs['dataset']}: give both experiments the same data set."
        )
    for condition in CONDITIONS:
        if condition not in wrong["condition"] or condition not in matters["condition"]:
            sys.exit(
                f"Error: {results} has no {condition} in Figure 3.1 or in Figure 3.2: add it to "
                "both experiments, difficulty and sensitivity."
            )
    wrong, matters = xr.align(wrong, matters, join="inner")
    if wrong.sizes["drawn"] < 2:
        sys.exit(
            "Error: Figures 3.1 and 3.2 have no examples in common: give both experiments the same "
            "first_seed and vary."
        )
    figure, axes = plt.subplots(1, len(CONDITIONS), figsize=(7, 3.2), layout="constrained")
    for axis, (condition, colour) in zip(axes, CONDITIONS.items(), strict=True):
        x, y = wrong.sel(condition=condition), matters.sel(condition=condition)
        rank = spearmanr(x, y)
        print(f"{condition}: Spearman correlation {rank.statistic:.2f}, {x.size} examples")
        axis.plot(x, y, ".", color=colour, markersize=3, alpha=0.6)
        axis.set(
            title=f"{condition}: rank correlation {rank.statistic:.2f}",
            xlabel="misclassification rate after one epoch",
            ylabel="mean loss-sensitivity [nat]",
            yscale="log",
        )
    return figure


def unwritable(path: Path) -> str:
    """Return why no figure can be written to a path, and the remedy; nothing if one can be."""
    if path.is_dir():
        return f"{path} is a folder: name a file in it, such as {path / 'mine.png'}"
    if not path.parent.is_dir():
        return f"{path.parent} is no folder: make it, or name a file in another one"
    known = FigureCanvasBase.get_supported_filetypes()
    if path.suffix[1:].lower() not in known:  # without a suffix, another file would be written
        return f"{path} has no suffix of a figure: name a file that ends in .{', .'.join(known)}"
    return ""


def main() -> None:
    """Draw what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, help="folder of a preset, such as results/demo")
    parser.add_argument("figure", type=Path, help="file to write, such as mine.png")
    options = parser.parse_args()
    if not options.results.is_dir():
        parser.error(f"{options.results} is no folder: name that of a preset, such as results/demo")
    if wrong := unwritable(options.figure):
        parser.error(wrong)
    figure = draw(options.results)
    try:
        figure.savefig(options.figure, dpi=200)
    except OSError as error:
        sys.exit(f"Error: {options.figure} cannot be written: {error}.")


if __name__ == "__main__":
    main()
