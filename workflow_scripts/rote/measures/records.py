"""What becomes of every training example, from epoch to epoch: right or wrong, loss, margin.

The moments are those of the epochs: mean and variance (their number being the divisor) of the loss
and of the probability of the label. The latter's mean and standard deviation are the confidence and
the variability of Swayamdipta et al. 2020 (Dataset Cartography, section 2). Of a member that
diverges they are those of the epochs before: the loss that is not finite does not enter.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rote.measures.observer import Observer, Variables, right

NAMES = "right", "loss", "margin", "moments"
MOMENTS = "loss_mean", "loss_variance", "probability_mean", "probability_variance"


class Records(Observer):
    """Keeps records of each example over the epochs at which members are scored.

    After a member has left they are missing, but for ``right``, which a bit cannot say: there it is
    as it was when the member left.

    Args:
        names: which, of ``NAMES``.
        group: see :class:`rote.measures.observer.Observer`.
    """

    def __init__(self, names: Sequence[str], *group: object):
        super().__init__(*group)
        members, examples, epochs, device = group
        self._now = torch.empty(0)  # whether each example is right in this epoch
        self._last = 0  # position of the last epoch at which members were scored
        if "right" in names:
            size = members, len(epochs), -(-examples // 8)
            self.state["right"] = torch.zeros(size, dtype=torch.uint8, device=device)
        for name in ("loss", "margin"):
            if name in names:
                size = members, len(epochs), examples
                self.state[name] = torch.full(size, torch.nan, device=device)
        if "moments" in names:
            size = members, examples
            for name in MOMENTS:
                self.state[name] = torch.zeros(size, dtype=torch.float64, device=device)

    def scored(self, epoch: int, examples: slice, logits: Tensor, labels: Tensor) -> None:
        """Enter a part of the examples, see ``Observer``."""
        self._last = self.epochs.index(epoch)
        if "right" in self.state:
            self._enter_right(examples, right(logits, labels))
        if "margin" in self.state:
            self.state["margin"][:, self._last, examples] = margin(logits, labels)
        loss = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        if "loss" in self.state:
            self.state["loss"][:, self._last, examples] = loss
        if "loss_mean" in self.state:
            loss = loss.double()
            self._enter_moments("loss", examples, loss)
            self._enter_moments("probability", examples, torch.exp(-loss))

    def _enter_right(self, examples: slice, now: Tensor) -> None:
        if examples.start == 0:
            self._now = now.new_zeros((len(now), self.examples))
        self._now[:, examples] = now
        if examples.stop == self.examples:
            self.state["right"][:, self._last] = packed(self._now)

    def _enter_moments(self, of: str, examples: slice, values: Tensor) -> None:
        """Update mean and variance by one more epoch (Welford 1962).

        What is not finite stays so, or its member leaves: the epochs that enter are the first ones,
        and their number is that of epochs so far. Without any, moments are NaN.
        """
        count = self._last + 1
        mean, variance = (self.state[f"{of}_{name}"][:, examples] for name in ("mean", "variance"))
        enters = values.isfinite() | (count == 1)
        before = values - mean
        mean.copy_(torch.where(enters, mean + before / count, mean))
        now = variance * ((count - 1) / count) + before * (values - mean) / count
        variance.copy_(torch.where(enters, now, variance))

    def variables(self, member: int) -> Variables:
        """Return ``right`` (epoch, byte), ``loss`` and ``margin`` (epoch, example), the moments.

        Moments are (example,). Bits are those of ``numpy.packbits``, see :func:`unpacked`.
        """
        found: Variables = {}
        if "right" in self.state:
            bits = self.state["right"][member].cpu().numpy().copy()
            bits[self._last + 1 :] = bits[self._last]
            found["right"] = ("epoch", "byte"), bits
        for name in ("loss", "margin"):
            if name in self.state:
                values = self.state[name][member].cpu().numpy().copy()
                found[name] = ("epoch", "example"), values
        moments = self.of_examples(member, *(name for name in MOMENTS if name in self.state))
        with np.errstate(over="ignore"):  # before a member diverges, a variance may be infinite
            return found | {name: (of, own.astype("f4")) for name, (of, own) in moments.items()}


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the logit of the label less the greatest other one: above 0 where it is right.

    Args:
        logits: (members, classes, batch).
        labels: (members, batch).
    """
    own = labels[:, None]
    others = logits.scatter(1, own, -torch.inf).amax(1)
    return logits.gather(1, own)[:, 0] - others


def packed(bits: Tensor) -> Tensor:
    """Return booleans (..., count) as bytes (..., count / 8, rounded up), like numpy.packbits."""
    count = -(-bits.shape[-1] // 8)
    whole = bits.new_zeros((*bits.shape[:-1], 8 * count))
    whole[..., : bits.shape[-1]] = bits
    values = torch.tensor([128, 64, 32, 16, 8, 4, 2, 1], dtype=torch.uint8, device=bits.device)
    return (whole.unflatten(-1, (count, 8)) * values).sum(-1, dtype=torch.uint8)


def unpacked(right: np.ndarray, examples: int) -> np.ndarray:
    """Return ``right`` of a run, (..., byte), as booleans (..., examples)."""
    return np.unpackbits(np.asarray(right), axis=-1, count=examples).astype(bool)
