"""Training in JAX, as it would be written there: members by vmap, the updates of an epoch by scan.

All functions are compiled, the data stands on the device, and batches are gathered within the scan.
Parameters are rote's, [weight, bias, …] with a leading member axis; ``donate`` lets an update write
over them.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from rote.models.ensemble import EVALUATED, Ensemble, epoch_order
from rote.study.plan import evaluated_epochs
from rote.study.schedule import decayed


def logits(parameters: list, inputs: jax.Array) -> jax.Array:
    """Return logits (batch, classes) of one MLP with ReLU between its layers."""
    for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        inputs = jax.nn.relu(inputs @ weight + bias)
    return inputs @ parameters[-2] + parameters[-1]


def cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Return the loss of each example, (batch,)."""
    chosen = jnp.take_along_axis(logits, labels[:, None], 1)[:, 0]
    return jax.nn.logsumexp(logits, 1) - chosen


def _loss(parameters: list, inputs: jax.Array, labels: jax.Array) -> jax.Array:
    return cross_entropy(logits(parameters, inputs), labels).mean()


def gathered(table: jax.Array, rows: jax.Array) -> jax.Array:
    """Return rows of a table, without a check of their numbers."""
    return table.at[rows].get(mode="promise_in_bounds")


@partial(jax.jit, donate_argnums=0)
def _epoch(parameters: list, table: jax.Array, rows, labels, rates: jax.Array) -> list:
    """Return the parameters after an epoch; rows and labels are (updates, members, batch)."""

    def update(parameters: list, batch: tuple) -> tuple:
        rows, labels = batch
        gradients = jax.vmap(jax.grad(_loss))(parameters, gathered(table, rows), labels)
        moved = [p - rates[:, None, None] * g for p, g in zip(parameters, gradients, strict=True)]
        return moved, None

    return jax.lax.scan(update, parameters, (rows, labels))[0]


@jax.jit
def _score(parameters: list, table: jax.Array, rows, labels, validation: tuple) -> tuple:
    """Return mean loss, misclassified examples and validation accuracy of each member."""

    def train(_, batch: tuple) -> tuple:
        found = jax.vmap(logits)(parameters, gathered(table, batch[0]))
        return None, (jax.vmap(cross_entropy)(found, batch[1]), found.argmax(2) != batch[1])

    def validate(right: jax.Array, batch: tuple) -> tuple:
        found = jax.vmap(logits)(parameters, gathered(table, batch[0]))
        return right + (found.argmax(2) == batch[1]).sum(1), None

    _, (loss, wrong) = jax.lax.scan(train, None, (rows, labels))
    right, _ = jax.lax.scan(validate, jnp.zeros(rows.shape[1], jnp.int32), validation)
    return loss.mean((0, 2)), wrong, right * rows.shape[1] / max(1, validation[1].size)


def _in_batches(values: np.ndarray, batch: int) -> np.ndarray:
    """Return values (members, examples) as (batches, members, batch)."""
    members, examples = values.shape
    return values.reshape(members, examples // batch, batch).swapaxes(0, 1)


def train(start: Ensemble, rates: list[float], training: dict) -> np.ndarray:
    """Train the members of ``start`` from their parameters; return what they misclassify at last.

    Args:
        start: rote's ensemble before its first update, from which all inputs are taken.
        rates: the learning rate of each member.
        training: the settings; batches must divide the examples, and momentum and decay be 0.

    Returns:
        (members, examples)
    """
    features, batch = start.model.features, start.batch_size
    parameters = [jnp.array(p.cpu().numpy()) for p in start.model.parameters]
    table = jnp.asarray(np.ascontiguousarray(start.table[:, :features].cpu()))
    rows, labels = (t.cpu().numpy().astype(np.int32) for t in (start.rows, start.labels))
    validation = tuple(
        jnp.asarray(_in_batches(part.cpu().numpy().astype(np.int32), EVALUATED))
        for part in start.validation
    )
    scored = [jnp.asarray(_in_batches(values, EVALUATED)) for values in (rows, labels)]
    for epoch in range(1, training["epochs"] + 1):
        order = epoch_order(start.seeds, epoch, rows.shape[1]).numpy()
        shuffled = [_in_batches(np.take_along_axis(v, order, 1), batch) for v in (rows, labels)]
        now = jnp.asarray(rates, jnp.float32) * decayed(training, epoch)
        parameters = _epoch(parameters, table, *shuffled, now)
        if epoch in evaluated_epochs(training):
            _, wrong, _ = jax.device_get(_score(parameters, table, *scored, validation))
    return wrong.swapaxes(0, 1).reshape(len(rows), -1)
