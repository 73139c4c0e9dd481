"""What the pages say of the studies under docs is what their files hold: numbers and verdicts."""

import re

import numpy as np
import pytest
from scipy import stats

from conftest import ROOT
from rote.claims import test_claims
from rote.claims.quantiles import of_mean
from rote.claims.tables import number
from rote.claims.verdicts import adjusted_confidence
from rote.files import netcdf
from rote.files.sweeps import first_of_each
from rote.study import configuration, stability

README = (ROOT / "README.md").read_text()


def verdicts(file):
    """The claims, or metrics, of a study beside the demo: those that `make verdicts` compares."""
    return first_of_each(netcdf.read(ROOT / "docs" / "verdicts" / f"{file}.nc"))


@pytest.fixture(scope="module")
def kept():
    """The claims and metrics under docs, by preset."""
    return {
        preset: {
            path.stem: first_of_each(netcdf.read(path))
            for path in (ROOT / "docs" / preset).rglob("*.nc")
        }
        for preset in ("demo", "poster", "night")
    }


def estimates(claims):
    """The estimates of a preset's parts as pages write them, with their intervals and alone."""
    return {
        str(test): (
            number(part["estimate"].item()),
            f"[{number(part['lower'].item())}, {number(part['upper'].item())}]",
        )
        for test, part in claims.groupby("test")
    }


def test_numbers_of_the_results_are_those_of_the_files(kept):
    text = " ".join((ROOT / "docs" / "results.md").read_text().split())
    demo, poster = (estimates(kept[preset]["claims"]) for preset in ("demo", "poster"))
    fig1, fig2, rates = (kept["demo"][name] for name in ("fig1", "fig2", "fig3_1"))
    noisy = fig1["validation_accuracy"].sel(noise_kind="randY", noise_level=0.8).mean("seed")
    assert noisy.max() < 0.3
    slope = fig2["slope"].mean("seed")
    assert not (rates["misclassification_rate"].sel(condition="real") == 0).any()
    intel, more, cnn = (
        estimates(verdicts(f"{name}/claims")) for name in ("torch", "more_seeds", "one_class")
    )
    wider = {units: estimates(verdicts(f"wider/wider_{units}")) for units in (64, 128)}
    exploded = (kept["demo"]["fig3_2"]["growth"] > 1000).any("update").sum("seed")
    seeds = exploded.sel(labelling="unique", condition=["real", "halfX", "randX"])
    assert seeds.values.tolist() == [6, 5, 0]  # "all six", "five", "none"
    smaller = kept["demo"]["fig2"].sel(dataset_size=slice(None, 2000))
    criteria = configuration.load(ROOT / "config.yaml")["claims"]
    without = estimates(test_claims({"fig2": smaller}, criteria))

    def of(value, level):
        return f"{value.sel(noise_level=level).item():.2f}".replace("-", "−")

    def both(part):
        return " ".join(demo[part])

    cheap = kept["demo"]["proxies"].mean("seed")
    real = cheap.sel(condition="real", noise_level=0)
    noisy_labels = cheap.sel(condition="randY", noise_level=0.4)
    names = "area_under_margin", "cumulative_loss", "loss_sensitivity", "misclassified_after_one"
    ranks = [f"{real['correlation'].sel(proxy=name).item():.2f}" for name in names]
    loss = noisy_labels.sel(proxy="cumulative_loss")
    quoted = [
        f"implies by {both('beyond_fitting')}",
        f"a share of {both('memorized_real')} is memorised",
        f"keep theirs {both('kept_less_real_randY')} more are",
        f"are {ranks[0]}, {ranks[1]} and {ranks[2]}, the ceiling being {real['ceiling']:.2f}",
        f"reaches {loss['correlation']:.2f} of {loss['ceiling']:.2f}",
        f"a kept one in {loss['auroc']:.2f} of pairs",
        f"says least: {ranks[3]} on real data",
        f"noise in the labels, by {demo['fitted_width_randY'][0]} doublings from no noise to all"
        f" noise {demo['fitted_width_randY'][1]}",
        f"in the inputs by {both('fitted_width_randX')}, which leaves open whether it is one",
        f"grows by {demo['saturation_width_randX'][0]} doublings from no noise to 80 % of noise in"
        f" the inputs {demo['saturation_width_randX'][1]}",
        "At 80 % it stays below 0.3 at any width",
        f"is {of(slope, 0)} on real data and {of(slope, 1)} where all inputs are noise",
        f"the difference is {both('time_over_size')}",
        f"Without the largest set it would be {' '.join(without['time_over_size'])}",
        *(f"by {' '.join(wider[units]['time_over_size'])} at {units}" for units in (64, 128)),
        f"support it, by {' '.join(intel['time_over_size'])}",
        f"true error rate is {both('spread_real')} on real data, and with random inputs"
        f" {both('spread_randX')}",
        f"Real data exceeds it by {both('spread_real_less_randY')}",
        f"of a label real ones differ by {both('spread_within_label_real')}",
        f"real exceeds them by {both('spread_within_label_real_less_randY')}",
        f"by a share of {both('extremes_real')} alone",
        f"with random labels by {both('extremes_randY')}",
        f"of a label it is {both('extremes_within_label_randY')}",
        f"Gini coefficient differs by {both('gini_class')}",
        f"each example it does by {both('gini_unique')}, hardly at all",
        f"the difference being {both('diagonal_share')}",
        f"So has the demo's MLP, by {both('ratio_randX_over_randY_digits_mlp')} in five"
        " replicates, and with twelve other replicates by"
        f" {' '.join(more['ratio_randX_over_randY_digits_mlp'])}",
        f"has them below, by {both('ratio_randX_over_randY_digits_cnn')}, with twelve others by"
        f" {' '.join(more['ratio_randX_over_randY_digits_cnn'])}, with twenty-four more by"
        f" {' '.join(cnn['ratio_randX_over_randY_digits_cnn'])}",
        f"{demo['memorised_after_peak_digits_mlp'][0]} of training accuracy is gained after the"
        f" peak by the MLP, {demo['memorised_after_peak_digits_cnn'][0]} by the CNN",
        f"rises by {demo['ratio_over_level_randX_digits_mlp'][0]} (MLP) and"
        f" {demo['ratio_over_level_randX_digits_cnn'][0]} (CNN) with noise in the inputs, by"
        f" {demo['ratio_over_level_randY_digits_mlp'][0]} and"
        f" {demo['ratio_over_level_randY_digits_cnn'][0]} with noise in the labels",
        f"falls by {demo['memorising_falls_hidden_noise'][0]} there, by"
        f" {demo['memorising_falls_dropout'][0]} with dropout",
        f"keeps from memorising: {demo['memorising_falls_adversarial'][0]}",
        f"the smaller share, by {' '.join(poster['diagonal_share'])}",
        f"further than the demo's, by {' '.join(poster['spread_real'])}",
        f"random inputs do by {' '.join(poster['spread_randX'])}",
        f"a share of {' '.join(poster['extremes_real'])} of the real examples",
        f"none of this is left, {' '.join(poster['extremes_within_label_real'])}",
        f"as wide a share, {' '.join(poster['extremes_randY'])}",
        f"far more unequally, by {' '.join(poster['gini_class'])}",
        f"hardly, by {' '.join(poster['gini_unique'])}",
    ]
    for words in quoted:
        assert words in text, words
        text = text.replace(words, "")
    for heading in ("## On other images", "## In a night"):  # which have tests of their own
        text, count = re.subn(f"{heading}.*?(?=## )", "", text)
        assert count == 1
    # What is left are settings, and what other settings than the demo's gave.
    text = re.sub(
        r"Figures? [\d., and]+|learning rate of 0\.\d|at 0\.4 narrow|level 0\.8|1\.0\.0", "", text
    )
    for elsewhere in (
        *("radius: [0.3, 0.1, 1, 3]", "ended at 0.08, 0.03 and 0.00 for a radius of 0.1"),
        "0.95, 0.71 and 0.09 for one of 3",
    ):
        assert elsewhere in text
        text = text.replace(elsewhere, "")
    assert re.findall(r"\d+\.\d+", text) == []


def test_numbers_on_memorization_are_those_of_its_claims():
    folder = ROOT / "docs" / "memorization"
    text = " ".join((folder / "README.md").read_text().split())
    found = estimates(netcdf.read(folder / "fashion_mnist" / "claims.nc"))
    parts = (
        *("memorized_real", "memorized_randY", "beyond_fitting", "move_together"),
        *("natural_falls_dropout", "natural_falls_hidden_noise"),
        "natural_falls_at_equal_accuracy_input_noise",
        "natural_falls_at_equal_accuracy_dropout",
    )
    for part in parts:
        assert " ".join(found[part]) in text, part
    on_digits = estimates(netcdf.read(folder / "digits" / "claims.nc"))
    for part in (
        *("memorized_real", "natural_falls_input_noise", "move_together"),
        *("natural_falls_at_equal_accuracy_input_noise", "natural_falls_at_equal_accuracy_dropout"),
    ):
        assert " ".join(on_digits[part]) in text, part
    on_cifar10 = estimates(netcdf.read(folder / "cifar10" / "claims.nc"))
    for part in (
        *("memorized_real", "natural_falls_dropout", "move_together"),
        "natural_falls_at_equal_accuracy_dropout",
    ):
        assert " ".join(on_cifar10[part]) in text, part
    mean = netcdf.read(folder / "cifar10" / "fair_proxy.nc").mean("seed")
    plain, falls = mean.sel(variant="nothing"), mean.isel(variant=mean["varied"] != "dropout")
    falls = falls.isel(variant=~falls["varied"].isin(["nothing", "width", "epochs"]))
    lost = plain["noise_train_accuracy"] - falls["noise_train_accuracy"]
    for words, value in (
        ("validation accuracy is {},", plain["validation_accuracy"]),
        ("training accuracy on real data, {},", mean["train_accuracy"].sel(variant="dropout 0.8")),
        ("from {} at 32 units", mean["memorized_share"].sel(variant="width 32")),
        ("to {} at 256", mean["memorized_share"].sel(variant="width 256")),
        (
            "raise it, to {} at most",
            mean["memorized_share"].where(mean["varied"].str.startswith("input_")).max(),
        ),
    ):
        assert words.format(number(value.item())) in text, words
    both = np.minimum(mean["train_accuracy"], mean["noise_train_accuracy"])
    fitting = f"{(both >= 0.95).sum().item()} of {both.size} fit both nearly alike, 0.95 or more"
    assert fitting in text
    assert f"hardly take: {lost.max().item():.2f} at most, by all but dropout" in text
    at_equal = [name for name in found if "at_equal_accuracy" in name]
    values = {name: float(found[name][0].replace("−", "-")) for name in at_equal}
    assert min(values, key=values.get) == parts[-2] and max(values, key=values.get) == parts[-1]


def test_numbers_on_other_images_are_those_of_their_claims():
    text = " ".join((ROOT / "docs" / "results.md").read_text().split())
    part = text.partition("## On other images")[2].partition("## ")[0]
    other = verdicts("fashion_mnist/claims")
    demo = netcdf.read(ROOT / "docs" / "demo" / "claims.nc")
    found = {name: " ".join(numbers) for name, numbers in estimates(other).items()}
    quoted = [
        *("time_over_size", "validation_stays", "diagonal_share", "extremes_real"),
        "memorized_real",
    ]
    assert all(found[name] in part for name in quoted)
    assert len(re.findall(r"\d \[", part)) == len(quoted)
    here, there = (one["verdict"].to_series() for one in (demo, other))
    there.index = there.index.str.replace("fashion", "digits")
    assert set(here.index) == set(there.index)
    pairs = set(zip(here, there.reindex(here.index), strict=True))
    assert not {("supported", "contradicted"), ("contradicted", "supported")} & pairs
    decided = [(one != "inconclusive").sum() for one in (here, there)]
    assert decided[0] > decided[1]


@pytest.mark.parametrize(("folder", "changed"), [("avx2", 3), ("torch", 2)])
def test_what_rounding_changes_is_what_the_page_says(folder, changed):
    files = (ROOT / "docs" / name / "claims.nc" for name in ("demo", f"verdicts/{folder}"))
    here, other = map(netcdf.read, files)
    differ = here["claim_verdict"].values != other["claim_verdict"].values
    assert here["conclusion"].values[differ].tolist() == [4]
    assert other["claim_verdict"].values[differ].tolist() == ["inconclusive"]
    both = zip(here["verdict"].values, other["verdict"].values, strict=True)
    pairs = [pair for pair in both if pair[0] != pair[1]]
    assert len(pairs) == changed and all("inconclusive" in pair for pair in pairs)
    assert here.sizes["test"] == 87 and here.sizes["conclusion"] == 6
    text = " ".join((ROOT / "docs" / "claims.md").read_text().split())
    assert "instead of those for AVX-512, three of 87; on an Intel processor" in text
    assert "where torch multiplies, two. Both leave claim 4 inconclusive" in text


def test_numbers_on_single_examples_are_those_of_their_files():
    folder = ROOT / "docs" / "memorization"
    text = " ".join((folder / "README.md").read_text().split())
    left_out = netcdf.read(folder / "leave_one_out.nc").squeeze()
    for kind, level, words in (("real", 0.0, "on real data"), ("randY", 0.4, "with noise")):
        own = left_out.sel(proxy="loss_sensitivity", condition=kind, noise_level=level)
        value, low, high = (
            number(own[f"proxy_correlation{end}"].item()) for end in ("", "_low", "_high")
        )
        assert f"{value} [{low}, {high}] {words}" in text
    real = left_out["proxy_correlation"].sel(condition="real", noise_level=0.0)
    largest = real["proxy"].values[np.argsort(-real.values)[:4]].tolist()
    assert sorted(largest) == [
        *("area_under_margin", "cumulative_loss", "input_curvature", "loss_sensitivity")
    ]
    pairs = netcdf.read(folder / "influence" / "memorized_examples.nc")["influence"].values
    assert f"digits, {len(pairs)} have an influence" in text
    assert f"of {(pairs > 0).sum()} it is positive" in text
    digits = netcdf.read(folder / "consistency.nc").squeeze()
    assert sorted(digits["index"].values.tolist()) == list(range(60_000))
    means = [number(value) for value in digits["mean_consistency"].values[[0, -1]].tolist()]
    assert digits["fraction"].values[[0, -1]].tolist() == [0.1, 0.9]
    assert (
        "of {} if they were trained on 10 % of the others, and of {} if on 90 %".format(*means)
        in text
    )
    assert f"{(digits['consistency_score'] < 0.5).sum().item():,} have a score below one" in text
    best = digits.sortby(-digits["correlation"]).isel(proxy=slice(3))
    first, second, third = map(number, best["correlation"].values.tolist())
    assert best["words"].values.tolist() == ["EL2N", "GraNd", "input curvature"]
    assert f"by {first} with low scores, GraNd by {second}, input curvature by {third};" in text
    assert f"reliability is {number(digits['ceiling'].item())}." in text


def flips(claims, others, at_least):
    """Return the parts that one study supports and the other contradicts, of so many or more."""
    one, other = (each["verdict"].to_series() for each in (claims, others))
    tested = other[(other != "not tested") & other.index.isin(one.index)]
    assert len(tested) >= at_least
    opposed = {"supported", "contradicted"}
    return [test for test in tested.index if {one[test], tested[test]} == opposed]


def test_parts_that_flip_between_the_demo_and_larger_studies_are_named(kept):
    demo, poster, night = (kept[preset]["claims"] for preset in ("demo", "poster", "night"))
    assert flips(demo, poster, at_least=20) == []
    assert flips(demo, night, at_least=20) == ["time_over_size"]
    assert stability.dependent_on("demo")["time_over_size"] == ["width"]
    words = "The verdict on 2 holds for small models near their limit: with more units"
    assert f"{words} it [is contradicted](" in " ".join(README.split())


@pytest.mark.parametrize("units", [64, 128])
def test_what_flips_with_the_width_alone_is_recorded_and_told(kept, units):
    wider = verdicts(f"wider/wider_{units}")
    flipped = flips(kept["demo"]["claims"], wider, at_least=1)
    # On the processor that computed the wider ones, too.
    assert flipped == flips(verdicts("torch/claims"), wider, at_least=1)
    assert flipped == [test for test, on in stability.dependent_on("demo").items() if "width" in on]
    demo = kept["demo"]["claims"].sel(test=flipped)
    assert (demo["dependent_on"] == "width").all()


def at_the_end(study, dataset="digits_cnn", kind="randX"):
    """Shares in one class, and ratios, of models of all noise at their last search."""
    one = study.sel(dataset=dataset, noise_kind=kind, noise_level=1)
    last = one["critical_sample_ratio"].dropna("critical_epoch", how="all")["critical_epoch"][-1]
    names = "commonest_class_share", "critical_sample_ratio"
    return [one[name].sel(critical_epoch=last).values for name in names]


def test_what_is_said_of_ratios_and_shares_is_so(kept):
    text = " ".join((ROOT / "docs" / "critical-samples.md").read_text().split())
    twelve, others = (verdicts(f"{name}/fig4_2") for name in ("more_seeds", "one_class"))
    for ends, digits, words in (
        (at_the_end(twelve), 3, "Of twelve CNNs that were trained on random inputs"),
        (at_the_end(others), 3, "of [twenty-four others]"),
        (at_the_end(twelve, "digits_mlp"), 2, "and of the twelve MLPs"),
    ):
        found = stats.spearmanr(*ends)
        said = f"{found.statistic:.2f}, p = {found.pvalue:.{digits}f}".replace("-", "−")
        assert words in text and said in text
    assert [len(at_the_end(one)[0]) for one in (twelve, others)] == [12, 24]
    assert at_the_end(twelve, "digits_mlp")[0].max() < 0.44
    text = " ".join((ROOT / "docs" / "claims.md").read_text().split())
    means = [number(at_the_end(one)[0].mean()) for one in (kept["demo"]["fig4_2"], twelve)]
    assert f"CNNs of the demo put {means[0]} into one class, the others {means[1]}" in text
    shares = at_the_end(kept["demo"]["fig4_2"])[0]
    assert np.sort(shares)[3] == 0.5 and (shares <= 0.5).sum() == 4


def test_the_numbers_that_decided_for_the_rule_of_each_model_are_those_written_down():
    """Of ``docs/verdicts/one_class/config.yaml``, by SciPy and the formulas of regression."""
    study = verdicts("one_class/fig4_2")
    (share, ratio), (share_y, ratio_y) = (at_the_end(study, kind=k) for k in ("randX", "randY"))
    lower = ratio - ratio_y
    left = lower[(share <= 0.5) & (share_y <= 0.5)]
    confidence = adjusted_confidence(0.95, 12)
    half = of_mean(len(left), confidence) * stats.sem(left)
    rule = [number(left.mean() + by) for by in (0, -half, half)]
    ends = []
    for degree in (1, 2):
        design = np.vander(share, degree + 1)
        at = np.vander([share_y.mean()], degree + 1)[0]
        inverse = np.linalg.inv(design.T @ design)
        fitted = inverse @ design.T @ lower
        freedom = len(lower) - degree - 1
        variance = ((lower - design @ fitted) ** 2).sum() / freedom
        half = stats.t.ppf(0.975, freedom) * np.sqrt(variance * at @ inverse @ at)
        ends.append([at @ fitted, at @ fitted - half, at @ fitted + half])
    line = [number(end) for end in ends[0]]
    text = " ".join((ROOT / "docs" / "claims.md").read_text().split())
    assert len(left) == 16 and "The sixteen models among them" in text
    assert f"by {rule[0]}, adjusted for twelve comparisons [{rule[1]}, {rule[2]}]" in text
    assert f"lies at {line[0]} [{line[1]}, {line[2]}]" in text
    assert f"it reaches from {number(ends[1][1])} to {number(ends[1][2])}" in text
    settings = (ROOT / "docs" / "verdicts" / "one_class" / "config.yaml").read_text()
    settings = " ".join(settings.replace("#", "").split()).replace("-0", "−0")
    assert f"(a) {rule[0]}, adjusted [{rule[1]}, {rule[2]}], of the 16" in settings
    assert f"(b) {line[0]} [{line[1]}, {line[2]}]" in settings


def test_what_eight_replicates_tell_of_claim_5_is_what_the_page_says():
    whole = verdicts("regularization/claims")
    assert whole["claim_verdict"].sel(conclusion=5) == "supported"
    page = (ROOT / "docs" / "error-rates" / "regularization.md").read_text()
    rows = [row for row in page.splitlines() if row.startswith("| 5 | the same: loss of the best")]
    assert len(rows) == 1 and rows[0].endswith("| **97%** | 3% | 0% |")
    text = " ".join((ROOT / "docs" / "claims.md").read_text().split())
    assert "97 % of [studies of eight]" in text


def test_numbers_of_the_night_are_those_of_its_files(kept):
    text = " ".join((ROOT / "docs" / "results.md").read_text().split())
    text = text.partition("## In a night")[2].partition("## ")[0]
    night, fig2 = estimates(kept["night"]["claims"]), kept["night"]["fig2"]
    slope = fig2["slope"].mean("seed")
    without, noise = (number(slope.sel(noise_level=level).item()) for level in (0, 1))
    fitted = kept["night"]["claims"].sel(test="fitted_width_randY")
    criterion = kept["night"]["claims"].sel(test="time_over_size")["criterion"].item()
    noises = kept["night"]["fig5_1"].mean("seed")
    assert noises.sizes["regularizer"] == 5
    assert noises["strength"].sel(regularizer="input_noise").values[3] == 2
    dropout = noises.sel(regularizer="dropout")
    assert dropout["strength"].values[[2, 3]].tolist() == [0.3, 0.5]
    dropped = [
        number(dropout[name].values[index])
        for index in (2, 3)
        for name in ("noise_train_accuracy", "real_validation_accuracy")
    ]
    of_inputs = noises.sel(regularizer="input_dropout").isel(strength_index=4)
    decay = noises.sel(regularizer="weight_decay").isel(strength_index=[0, 3, 4])
    assert of_inputs["strength"] == 0.7 and decay["strength"].values[1:].tolist() == [0.01, 0.1]
    for name in ("noise_train_accuracy", "real_validation_accuracy"):
        assert decay[name].values[1] == pytest.approx(decay[name].values[0], abs=0.001)
    fitted_labels, validation = (
        noises[name].sel(regularizer="input_noise").values
        for name in ("noise_train_accuracy", "real_validation_accuracy")
    )
    strongest = noises.sel(regularizer="hidden_noise").isel(strength_index=-1)
    least, best = (
        strongest[name].item() for name in ("noise_train_accuracy", "real_validation_accuracy")
    )
    for words in (
        f"the slope is {without} without noise, {noise} where all inputs are noise",
        f"the difference {' '.join(night['time_over_size'])}, and so below the 0.1",
        f"in the labels by {night['fitted_width_randY'][0]} doublings, at least"
        f" {number(fitted['lower'].item())}.",
        f"grows with it by {night['saturation_width_randX'][0]} doublings"
        f" {night['saturation_width_randX'][1]}",
        f"With noisy labels {' '.join(night['memorised_after_peak_mnist_mlp'])} of training",
        f"and {' '.join(night['ratio_after_peak_mnist_mlp'])} of the critical",
        f"all noise by {night['ratio_over_level_randY_mnist_mlp'][0]} with either",
        f"being {' '.join(night['ratio_randX_over_randY_mnist_mlp'])};",
        f"is {number(fitted_labels[3])} instead of {number(fitted_labels[0])}",
        f"falls from {number(validation[0])} to {number(validation[3])}.",
        f"gains {number(best - validation[0])} of validation",
        f"all the same, to {number(least)}.",
        f"random labels are fitted to {dropped[0]} alone, and validation accuracy rises to"
        f" {dropped[1]}; with half of them, to {dropped[2]}, and it falls to {dropped[3]}.",
        f"are fitted to {number(of_inputs['noise_train_accuracy'].item())}, and validation accuracy"
        f" is {number(of_inputs['real_validation_accuracy'].item())}.",
        "of 0.01 it changes neither, of 0.1 random labels are hardly fitted at all, to"
        f" {number(decay['noise_train_accuracy'].values[2])}, and validation accuracy is"
        f" {number(decay['real_validation_accuracy'].values[2])}.",
    ):
        assert words in text, words
        text = text.replace(words, "")
    text = re.sub(r"3\.1 to 3\.3|(?:and|Figure) [45]\.[12]", "", text)
    assert "0.1" in criterion and re.findall(r"\d+\.\d+", text) == []
    for times in (fig2["epochs_to_convergence"], fig2["capacity_epochs_to_convergence"]):
        mean = times.mean("seed")
        assert (mean.sel(noise_level=1) < mean.sel(noise_level=0)).all()
    accuracy = kept["night"]["fig1"]["train_accuracy"].sel(noise_kind="randX", hidden_units=16)
    assert (accuracy.mean("seed") > 0.9).all()
    of_night, of_demo = (kept[preset]["claims"]["verdict"] for preset in ("night", "demo"))
    core = of_night["test"].values[of_night["stated_by"] == "poster"]
    of_mlp = [name for name in core if "mnist_mlp" in name]
    assert len(of_mlp) >= 5
    of_both = [
        (of_demo.sel(test=name.replace("mnist", "digits")), of_night.sel(test=name))
        for name in of_mlp
    ]
    assert [one.item() for one, other in of_both if one != other] == ["supported"]
