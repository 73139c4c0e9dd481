"""The check of a configuration: of its schema, and of what must fit together.

What is checked is the merged configuration of ``rote.study.configuration``, in which every preset
holds all of its values.
"""

from collections.abc import Iterator, Sequence

from rote.machine.errors import UserError
from rote.study import drawing, mistakes, noises, own_data, own_module, plan, schema
from rote.study.figures import FIGURES, impossible
from rote.study.schema import Misconfigured, SeveralMistakes, dotted, unknown


def validate(config: dict, presets: Sequence[str] = ()) -> None:
    """Check a whole merged configuration, every preset of it.

    Args:
        config: the configuration.
        presets: others that could have been named, because they have a file of their own.

    Raises:
        Misconfigured: one sentence about the first thing that is wrong, and its remedy.
        SeveralMistakes: a sentence about each of several that are wrong independently.
    """
    schema.check(config)
    if config["device"] == "cpu" and config["precision"] != "float32":
        raise Misconfigured(
            f"precision is {config['precision']}, which needs a CUDA device, but device is "
            "cpu: set precision to float32, or device to auto or cuda.",
            ["precision"],
        )
    if config["preset"] not in config["presets"]:
        raise unknown(
            "preset", config["preset"], ["preset"], sorted({*config["presets"], *presets})
        )
    _check_own_data(config)
    _check_noises(config)
    drawing.check(config)
    found: dict[tuple, Misconfigured] = {}
    for mistake in _mistakes(config):  # of those at one place, the first
        found.setdefault(tuple(mistake.way), mistake)
    if found:
        raise SeveralMistakes.of([*found.values()])


def _mistakes(config: dict) -> Iterator[Misconfigured]:
    """Yield what does not fit together in the experiments of all presets."""
    for preset, experiments in config["presets"].items():
        for name, settings in plan.noised_datasets(experiments).items():
            way = ["presets", preset, *plan.settings_key(name).split(".")]
            yield from mistakes.of_settings(settings, config["datasets"], way)
            if preset == config["preset"] and "module" in settings:  # those of others may be away
                for wrong in mistakes.sentences(own_module.with_source, settings["module"]):
                    place = [*way, "module", "from"]
                    yield Misconfigured(f"{dotted(place[:-1])}: {wrong}", place)
        for name, wrong in impossible(experiments).items():
            if not FIGURES[name].optional:
                way = ["presets", preset, FIGURES[name].experiment.name]
                yield Misconfigured(f"presets.{preset}: {wrong}", way)


def _check_own_data(config: dict) -> None:
    """Check the user's own files of those data sets that the preset needs: others may be away."""
    preset = plan.noised_datasets(config["presets"][config["preset"]]).values()
    for dataset in {settings["data"]["dataset"]: None for settings in preset}:
        if dataset in config["datasets"]:
            try:
                own_data.check(dataset, config["datasets"])
            except UserError as error:
                raise Misconfigured(str(error), ["datasets", dataset, "path"]) from error


def _check_noises(config: dict) -> None:
    """Check the noises that are defined, and the files of those that the preset needs."""
    defined = config.get("noises", {})
    for name, own in defined.items():
        if sentence := noises.wrong(name, own):
            raise Misconfigured(sentence, ["noises", name])
    known = [*noises.KINDS, *defined]
    for preset, experiments in config["presets"].items():
        for experiment, settings in experiments.items():
            for i, name in enumerate(settings.get("noise_kinds", ())):
                way = ["presets", preset, experiment, "noise_kinds", i]
                if name not in known:
                    raise unknown("noise", name, way, known)
                if parameters := name not in defined and [*noises.KINDS[name].parameters]:
                    raise Misconfigured(
                        f"{dotted(way)} is {name}, which needs {' and '.join(parameters)}: define "
                        f"a noise of this kind under noises, and write its name.",
                        way,
                    )
                if name in defined and preset == config["preset"]:
                    try:
                        noises.check_files(name, defined[name])
                    except UserError as error:
                        raise Misconfigured(str(error), ["noises", name]) from error
