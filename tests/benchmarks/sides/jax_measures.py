"""Loss-sensitivity and LASS in JAX, as they would be written there.

The parameters after each update are kept, and the chain of updates is gone back by ``jax.vjp`` of
one update. Neighbouring times go back together, from the last of them: all times at once would all
go back through every update, and one at a time would be products of few rows.
"""

from functools import partial

import jax
import jax.numpy as jnp
from sides.jax_training import cross_entropy, gathered, logits


def _losses(parameters: list, inputs: jax.Array, labels: jax.Array, terms: jax.Array) -> jax.Array:
    """Return the losses, (losses,): the mean over examples of those that ``terms`` picks."""
    return cross_entropy(logits(parameters, inputs), labels) @ terms / len(labels)


def _updated(parameters: list, inputs: jax.Array, labels: jax.Array, rate: float) -> list:
    """Return the parameters after an update on a batch."""

    def loss(parameters: list) -> jax.Array:
        return cross_entropy(logits(parameters, inputs), labels).mean()

    gradients = jax.grad(loss)(parameters)
    return [p - rate * g for p, g in zip(parameters, gradients, strict=True)]


@jax.jit
def _trajectory(parameters: list, inputs: jax.Array, labels, batches, rate) -> list:
    """Return the parameters before the first update and after each, (updates + 1, …)."""

    def update(parameters: list, batch: jax.Array) -> tuple:
        moved = _updated(parameters, gathered(inputs, batch), gathered(labels, batch), rate)
        return moved, parameters

    last, before = jax.lax.scan(update, parameters, batches)
    return [jnp.concatenate([b, p[None]]) for b, p in zip(before, last, strict=True)]


@jax.jit
def _norms(trajectory: list, inputs, labels, batches, rate, times, terms) -> jax.Array:
    """Return the ℓ1 norms (groups, together, losses, examples) at ``times`` (groups, together)."""

    def beginning(t: jax.Array) -> tuple:
        """Return ∂L/∂θ and ∂L/∂x at the time t, (losses, …) each."""
        at = [values[t] for values in trajectory]
        return jax.jacrev(_losses, (0, 1))(at, inputs, labels, terms)

    def group(times: jax.Array) -> jax.Array:
        starts, of_inputs = jax.lax.map(beginning, times)

        def back(k: jax.Array, state: tuple) -> tuple:
            adjoints, of_inputs = state
            s = times[-1] - 1 - k
            # A loss joins where it is taken; before, its adjoint is 0.
            joins = times == s + 1
            adjoints = [
                a + jnp.where(joins.reshape(-1, *[1] * (a.ndim - 1)), b, 0)
                for a, b in zip(adjoints, starts, strict=True)
            ]
            batch = batches[s]
            chosen = gathered(inputs, batch)

            def update(parameters: list, chosen: jax.Array) -> list:
                return _updated(parameters, chosen, gathered(labels, batch), rate)

            _, pulled = jax.vjp(update, [values[s] for values in trajectory], chosen)
            adjoints, through = jax.vmap(jax.vmap(pulled))(adjoints)
            add = jax.vmap(jax.vmap(lambda all_, part: all_.at[batch].add(part)))
            return adjoints, add(of_inputs, through)

        nothing = [jnp.zeros_like(values) for values in starts]
        _, of_inputs = jax.lax.fori_loop(0, times[-1], back, (nothing, of_inputs))
        return jnp.abs(of_inputs).sum(-1)

    return jax.lax.map(group, times)


def sensitivity(
    parameters: list, inputs, labels, batches, rate: float, times: list[int], terms, together: int
) -> jax.Array:
    """Return ‖∂L/∂x‖ (times, losses, examples) of the losses that ``terms`` picks.

    Args:
        parameters: [weight, bias, …] before the first update.
        inputs: (examples, features).
        labels: (examples,).
        batches: example indices, (updates, batch).
        rate: of learning.
        times: numbers of updates, ascending, a multiple of ``together``.
        terms: which examples' cross-entropies make a loss, (examples, losses).
        together: times that go back together.
    """
    data = jnp.asarray(inputs), jnp.asarray(labels), jnp.asarray(batches)
    trajectory = _trajectory(list(map(jnp.asarray, parameters)), *data, rate)
    groups = jnp.asarray(times).reshape(-1, together)
    found = _norms(trajectory, *data, rate, groups, jnp.asarray(terms))
    return jax.device_get(found.reshape(len(times), -1, len(inputs)))


@partial(jax.jit, static_argnames=("iterations", "noisy"))
def _critical(parameters: list, inputs, alpha, beta, radius, key, iterations, noisy) -> jax.Array:
    predicted = logits(parameters, inputs).argmax(1)
    chosen = jax.nn.one_hot(predicted, parameters[-1].size, dtype=bool)

    def margin(x: jax.Array) -> tuple:
        z = logits(parameters, x)
        others = jax.nn.logsumexp(jnp.where(chosen, -jnp.inf, z), 1)
        return (others - jnp.where(chosen, z, 0).sum(1)).sum(), z

    def going(state: tuple) -> jax.Array:
        return (state[0] < iterations) & ~state[2].all()

    def step(state: tuple) -> tuple:
        k, offset, critical, key = state
        gradient, z = jax.grad(margin, has_aux=True)(inputs + offset)
        offset = offset + alpha * jnp.sign(gradient)
        if noisy:
            key, own = jax.random.split(key)
            offset = offset + beta * jax.random.normal(own, offset.shape)
        found = critical | (z.argmax(1) != predicted)
        # As rote's: where an example is found, it stays.
        return (
            k + 1,
            jnp.where(found[:, None], state[1], jnp.clip(offset, -radius, radius)),
            found,
            key,
        )

    start = 0, jnp.zeros_like(inputs), jnp.zeros(len(inputs), bool), key
    _, offset, critical, _ = jax.lax.while_loop(going, step, start)
    return critical | (logits(parameters, inputs + offset).argmax(1) != predicted)


def critical_samples(
    parameters: list, inputs, *, alpha: float, beta: float, radius: float, max_iterations: int
) -> jax.Array:
    """Return which inputs LASS finds to be critical, (examples,); it ends once all are found."""
    lengths = alpha, beta, radius, jax.random.key(0)
    parameters, noisy = list(map(jnp.asarray, parameters)), bool(beta)
    found = _critical(parameters, jnp.asarray(inputs), *lengths, max_iterations, noisy)
    return jax.device_get(found)
