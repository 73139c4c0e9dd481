"""The multiply-adds of a run, counted from its sizes alone before anything runs.

They rank jobs, so that the longest one does not start last, and weigh them against each other where
progress is reported. They are no time: how fast a device is depends on the shapes. Not counted:
what regularisers draw, and what is read and written. Counted to its limit, though it may end
before: the search for critical samples and, but for :func:`expected_of_run`, training to a
threshold.
"""

import math
from itertools import pairwise
from typing import NamedTuple

from rote.study import noises, plan, sizes
from rote.study.architecture import Architecture
from rote.study.mlp import widths

# Of the epochs of a training to a threshold, what its members use in the mean: .05 to .15 in the
# runs of the demo. With a plateau, too, the limit is far off, for those that fit slowly: .05 to
# .09 where models are wide, and the work is, up to .41 where they are narrow.
USED, USED_WITH_PLATEAU = 0.1, 0.06
MODULE = 10_000_000  # multiply-adds of a module that does not say how many it has
RECORDED = {"right": 1 / 8, "loss": 4, "margin": 4}  # bytes of an example at a time
CLASSES = 10  # assumed of data sets that rote does not know by name


class Layer(NamedTuple):
    """A layer of a model, as the numbers of one example in it."""

    inputs: int  # of each of its products
    outputs: int
    positions: int = 1  # at which the weights are applied: 1 if it is dense

    @property
    def multiply_adds(self) -> int:
        """Those of the forward pass of one example."""
        return self.inputs * self.outputs * self.positions


def image(source: dict, data: dict) -> tuple[int, int, int]:
    """Return (channels, rows, columns) of an experiment's inputs, those of CIFAR-10 if unknown.

    Args:
        source: the data set's block under ``datasets`` in the configuration.
        data: the settings ``data`` of whoever trains on it.
    """
    known = sizes.published(source) or sizes.PUBLISHED["CIFAR10"]
    # Images of a folder, whose size is not known yet, are larger than what is cut off them.
    rows = max(1, (data["image_size"] or known.rows) - 2 * data["crop"])
    return known.channels, rows, rows


def classes_of(source: dict) -> int:
    """Return the number of classes of a data set, by its block under ``datasets``."""
    known = sizes.published(source)
    return known.classes if known else CLASSES


def layers(model: dict, shape: tuple[int, int, int], classes: int = CLASSES) -> list[Layer]:
    """Return the layers of a model for inputs of ``shape`` (channels, rows, columns).

    ``model`` holds ``hidden_layers`` and ``hidden_units`` of an MLP, or the settings of a CNN; or
    those of a module, which stands there as one layer.
    """
    if "from" in model:
        return [Layer(model.get("multiply_adds", MODULE), 1)]
    if "maps" not in model:
        units = [math.prod(shape), *widths(model), classes]
        return [Layer(*pair) for pair in pairwise(units)]
    architecture = Architecture.of(model, shape, classes)
    # Images of a folder, whose size is not known yet, are at least as large as they must be.
    sides = [max(side, architecture.smallest) for side in shape[1:]]
    architecture = architecture._replace(image=(shape[0], *sides))
    positions = [math.prod(plane.convolved[1:]) for plane in architecture.planes()]
    products = architecture.products()
    positions += [1] * (len(products) - len(positions))
    return [Layer(*product, times) for product, times in zip(products, positions, strict=True)]


def of_run(run: dict, shape: tuple[int, int, int], data: dict) -> int:
    """Return the multiply-adds of all members of a run.

    Args:
        run: its settings, those of ``rote.study.run_settings``.
        shape: (channels, rows, columns) of the inputs.
        data: ``train_examples`` and ``validation_examples`` and, if they are known, ``classes``.
    """
    if "labelling" in run:
        return _sensitivity(run, shape, data)
    training = run["training"]
    own = layers(run["model"], shape, data.get("classes", CLASSES))
    forward = sum(layer.multiply_adds for layer in own)
    examples, epochs = data["train_examples"], training["epochs"]
    scored = len(plan.evaluated_epochs({"evaluate_every": 1, **training}))
    passes = (
        1 if "hidden_units" in run["model"] else 2
    )  # the other is for the statistics of normalisation
    seen = scored * (passes * examples + data["validation_examples"])
    total = 0
    for member in map(plan.Member._make, run["members"]):
        each = _update(own)
        trained_on = plan.subset_size(examples, member.percent) - bool(member.left_out)
        if member.adversarial:  # the search, and an update on twice the examples
            each = 2 * each + run["adversarial_examples"]["max_iterations"] * 2 * forward
        total += epochs * trained_on * each + seen * forward
        if search := run.get("critical_samples"):
            inputs = search["examples"] * (
                1 + (noises.replaces(member.noise_kind, data) == "image")
            )
            inputs += search["train_examples"]
            searches = len(search["radius"]) * len(search["epochs"])
            total += searches * inputs * search["max_iterations"] * 2 * forward
    return total


def expected_of_run(run: dict, shape: tuple[int, int, int], data: dict) -> int:
    """Return the multiply-adds that a run will probably need, see :func:`of_run`.

    Members that train to a threshold leave long before the limit.
    """
    whole = of_run(run, shape, data)
    if "plateau" in run["training"]:
        return round(USED_WITH_PLATEAU * whole)
    return round(USED * whole) if "threshold" in run["training"] else whole


def recorded_bytes(run: dict, examples: int) -> int:
    """Return the bytes of what a run records of its examples, see ``rote.measures.records``."""
    training, record = run["training"], run.get("record", ())
    scored = run.get("evaluations", 0) + 1
    if "evaluate_every" in training:
        scored = len(plan.evaluated_epochs(training))
    of_example = scored * sum(RECORDED[name] for name in record if name in RECORDED)
    return round(len(run["members"]) * examples * (of_example + 16 * ("moments" in record)))


def _update(own: list[Layer]) -> int:
    """Return the multiply-adds of an update, an example: nothing is passed on to the inputs."""
    first, *others = (layer.multiply_adds for layer in own)
    return 2 * first + 3 * sum(others)


def _sensitivity(run: dict, shape: tuple[int, int, int], data: dict) -> int:
    training, examples = run["training"], data["train_examples"]
    classes = data.get("classes", CLASSES)
    own = layers(run["model"], shape, examples if run["labelling"] == "unique" else classes)
    updates = training["epochs"] * -(-examples // training["batch_size"])
    times = plan.evaluation_times(updates, run["evaluations"])
    class_times = plan.evaluation_times(updates, run["class_evaluations"])
    passed = sum(times) + classes * sum(class_times)  # updates that losses go back through
    # Of each layer: two products forward and two backward, one for the weights' adjoint, and
    # another for it; on the first layer nothing enters that has moved.
    first, *others = (layer.multiply_adds for layer in own)
    through = training["batch_size"] * (4 * first + 6 * sum(others))
    whole = updates * training["batch_size"] * _update(own) + passed * through
    return len(run["members"]) * whole
