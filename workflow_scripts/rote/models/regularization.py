"""Regularisation of an ensemble in training, with a strength for each member.

Dropout (Srivastava et al. 2014) sets numbers to zero, each with probability p, and multiplies the
others by 1 / (1 − p), so that their mean stays what it was. Gaussian noise of standard deviation σ
is added. Both are there for the inputs and, after the ReLU, for the activations of every hidden
layer; in a convolutional layer that is after the pooling, and in all after the normalisation. Where
a member has both, dropout comes first. Adversarial training (Goodfellow et al. 2015) gives an
update twice the examples: each once more as an adversarial example x̂ with the same label, and
(1 − w)·ℓ(x) + w·ℓ(x̂) as loss; both halves are normalised, and disturbed by the member's other
regularisers, as one batch. Weight decay is a matter of :mod:`rote.models.sgd`.

A member draws from streams of its own, one a regulariser, that begin anew with every epoch: it
draws the same in any company, beside any other regulariser, and when it is resumed. What has
strength 0 draws nothing and touches no number.
"""

from collections.abc import Iterator
from itertools import count

import torch
from torch import Tensor

from rote.machine.randomness import seed_of
from rote.measures.critical_samples import (
    Length,
    adversarial_examples,
    adversarial_examples_together,
    of_examples,
)
from rote.models.workspace import Workspace

# Each strength, and whether it is in its range.
KINDS = {
    "dropout": lambda p: 0 <= p <= 0.999,
    "input_dropout": lambda p: 0 <= p <= 0.999,
    "hidden_noise": lambda sigma: sigma >= 0,
    "input_noise": lambda sigma: sigma >= 0,
    "adversarial": lambda w: 0 <= w <= 1,
}


BITS = 4  # numbers of 16 bits in each of 64


class Regularization:
    """The regularisers of a group of members.

    Args:
        strengths: by the name of the regulariser, one a member: p of ``dropout`` and
            ``input_dropout``, σ of ``hidden_noise`` and ``input_noise`` (in the units of the
            inputs), w of ``adversarial``. What is left out is 0 for all.
        workspace: memory for what is drawn.
        search: ``alpha``, ``beta``, ``radius`` (in the units of the inputs) and ``max_iterations``
            of :func:`rote.measures.critical_samples.adversarial_examples`. A length that is not the
            same for all inputs has one for each row of the ensemble's table, (rows, 1).

    Raises:
        ValueError: a strength is out of its range, or only some members have adversarial examples:
            their batches are larger, so they cannot be stacked with those of the others.
    """

    def __init__(
        self,
        strengths: dict[str, list[float]],
        workspace: Workspace | None = None,
        search: dict[str, Length] | None = None,
    ):
        for kind, values in strengths.items():
            for value in values:
                if not KINDS[kind](value):
                    raise ValueError(f"{value} is out of the range of {kind}")
        self.strengths = {kind: values for kind, values in strengths.items() if any(values)}
        if not all(self.strengths.get("adversarial", [])):
            raise ValueError("members with and without adversarial examples cannot be one group")
        self.workspace, self.search = workspace, search
        # Whether all members are searched for adversarial examples at once; None: where it pays.
        self.together: bool | None = None
        self._streams: dict[str, list[tuple[int, float, torch.Generator]]] = {}
        self._weights: dict[int, Tensor] = {}
        self._epoch: tuple[list[int], int] = [], 0
        self._drawn: dict[int, Iterator[int]] = {}

    @property
    def adversarial(self) -> bool:
        """Whether the members train on adversarial examples too."""
        return "adversarial" in self.strengths

    def start_epoch(self, seeds: list[int], epoch: int) -> None:
        """Begin the streams of an epoch, of members with these seeds."""
        self._streams, self._epoch, self._drawn = {}, (seeds, epoch), {}
        for kind, values in self.strengths.items():
            self._streams[kind] = [
                (member, strength, self._generator(kind, seed, epoch))
                for member, (seed, strength) in enumerate(zip(seeds, values, strict=True))
                if strength
            ]

    def _generator(self, *key: str | int) -> torch.Generator:
        # On the device: numbers drawn elsewhere would have to be brought there at every update.
        return torch.Generator(self.workspace.device).manual_seed(seed_of(*key))

    def disturb_inputs(self, inputs: Tensor) -> None:
        """Apply input dropout and input noise to inputs (members, batch, features), in place."""
        self._drop("input_dropout", inputs)
        self._add_noise("input_noise", inputs)

    def disturbed(self, layer: int, activations: Tensor) -> Tensor:
        """Return what a hidden layer passes on, given its activations (members, …, …).

        Dropout is applied to ``activations`` themselves: they stay positive where a gradient comes
        through, which :meth:`rescale` then corrects. With noise the result is a copy.
        """
        self._drop("dropout", activations)
        if "hidden_noise" not in self._streams:
            return activations
        shape = tuple(activations.shape)
        noisy = self.workspace(f"noisy {layer}", shape, activations.dtype).copy_(activations)
        self._add_noise("hidden_noise", noisy)
        return noisy

    def disturbed_of_member(self, member: int, activations: Tensor) -> Tensor:
        """Return the same of one member, given its activations (batch, …), for autograd: a copy."""
        for _, p, generator in self._of(member, "dropout"):
            # Fresh memory: that of a workspace may be such as autograd does not keep.
            needed = -(-activations.numel() // BITS)
            memory = torch.empty(needed, dtype=torch.int64, device=activations.device)
            kept = _random_bits(activations, memory, generator).ge_(_threshold(p))
            activations = activations * kept * (1 / (1 - p))
        for _, sigma, generator in self._of(member, "hidden_noise"):
            noise = torch.empty_like(activations, memory_format=torch.contiguous_format)
            activations = activations + noise.normal_(generator=generator) * sigma
        return activations

    def _of(self, member: int, kind: str) -> list[tuple[int, float, torch.Generator]]:
        return [each for each in self._streams.get(kind, ()) if each[0] == member]

    def seed_of_update(self, member: int) -> int:
        """Return a seed for what a model itself draws in a member's next update in this epoch."""
        if member not in self._drawn:
            seeds, epoch = self._epoch
            self._drawn[member] = seeds_of_updates(seeds[member] if seeds else 0, epoch)
        return next(self._drawn[member])

    def rescale(self, gradient: Tensor) -> None:
        """Multiply the gradient (members, …, …) of what :meth:`disturbed` returned by 1 / (1 − p).

        In place. Where dropout made a zero, the gradient is left for the ReLU to cut.
        """
        for member, p, _ in self._streams.get("dropout", ()):
            gradient[member].mul_(1 / (1 - p))

    def _drop(self, kind: str, target: Tensor) -> None:
        for member, p, generator in self._streams.get(kind, ()):
            needed = -(-target[member].numel() // BITS)
            memory = self.workspace("bits", (1, 1, needed), torch.int64).flatten()
            kept = _random_bits(target[member], memory, generator).ge_(_threshold(p))
            target[member].mul_(kept).mul_(1 / (1 - p))

    def _add_noise(self, kind: str, target: Tensor) -> None:
        for member, sigma, generator in self._streams.get(kind, ()):
            # Drawn into the same memory for all members, which therefore stays in the cache.
            noise = self.workspace("noise", (1, *target.shape[1:]), torch.float32)[0]
            target[member].add_(noise.normal_(generator=generator), alpha=sigma)

    def make_adversarial(self, model, inputs: Tensor, rows: Tensor) -> None:
        """Replace the second half of the batch by adversarial examples of the first, in place.

        They are found by LASS against the model as it is, in evaluation: without the noise of other
        regularisers, and normalised by the running statistics. All members are searched at once, in
        six tenths of the time for the demo's MLPs, unless that would have a member's numbers depend
        on its company: CNNs are searched one by one on the CPU. With noise in the steps the ways
        find other examples: one by one, an example that is found draws no more.

        Args:
            model: the stacked models.
            inputs: (members, 2 × batch, features).
            rows: where they stand in the table, (members, 2 × batch).
        """
        batch, together = inputs.shape[1] // 2, self.together
        if together is None:
            together = model.searched_together or inputs.device.type == "cuda"
        if together:
            rows, real = rows[:, :batch], inputs[:, :batch]
            inputs[:, batch:] = adversarial_examples_together(
                lambda x: model.members_logits(x, running=True),
                real,
                **{k: of_examples(v, rows) for k, v in self.search.items()},
                noise=self._noise_of_steps(real),
            )
            return
        for member, _, generator in self._streams["adversarial"]:
            inputs[member, batch:] = adversarial_examples(
                lambda x, member=member: model.member_logits(member, x, running=True),
                inputs[member, :batch],
                **{k: of_examples(v, rows[member, :batch]) for k, v in self.search.items()},
                generator=generator,
            )

    def _noise_of_steps(self, inputs: Tensor) -> Tensor | None:
        """Return the noise of all steps, (members, steps, batch, features), if there is any."""
        if isinstance(self.search["beta"], int | float) and not self.search["beta"]:
            return None
        members, batch, features = inputs.shape
        steps = self.search["max_iterations"]
        # In one call a member: each draws from its own stream, whatever its company.
        noise = self.workspace("noise of steps", (members, steps * batch, features), inputs.dtype)
        for member, _, generator in self._streams["adversarial"]:
            noise[member].normal_(generator=generator)
        return noise.unflatten(1, (steps, batch))

    def weights(self, batch: int, like: Tensor) -> Tensor:
        """Return the weight of each example and its double in the loss, (members, 2 × batch)."""
        if batch not in self._weights:  # brought to the device once, not at every update
            w = torch.tensor(self.strengths["adversarial"], dtype=like.dtype, device=like.device)
            self._weights[batch] = (torch.stack([1 - w, w], 1) / batch).repeat_interleave(batch, 1)
        return self._weights[batch]

    def select(self, keep: list[int]) -> None:
        """Keep only the members at the positions ``keep``, from the next epoch on."""
        kept = {kind: [values[m] for m in keep] for kind, values in self.strengths.items()}
        self.strengths = {kind: values for kind, values in kept.items() if any(values)}
        self._streams, self._weights = {}, {}


def seeds_of_updates(seed: int, epoch: int, updates: int | None = None) -> Iterator[int]:
    """Yield the seed of each update of an epoch, for what a model draws by itself."""
    first = seed_of("update", seed, epoch)
    for update in count() if updates is None else range(updates):
        yield (first + update) % 2**63


def _random_bits(like: Tensor, memory: Tensor, generator: torch.Generator) -> Tensor:
    """Return an int16 of random bits for each number of ``like``, in ``memory``, int64.

    ``BITS`` are cut from each int64 that is drawn: most of the time of dropout is that of drawing.
    """
    memory.random_(-(2**63), None, generator=generator)
    return memory.view(torch.int16)[: like.numel()].view(like.shape)


def _threshold(p: float) -> int:
    """Return the int16 below which random bits lie with probability p, rounded to 2⁻¹⁶."""
    return round((p - 0.5) * 2**16)


UNREGULARIZED = Regularization({})
