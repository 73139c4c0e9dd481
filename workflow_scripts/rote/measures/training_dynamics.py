"""What training shows of each example at no cost: cheap proxies of its memorisation score.

They are of the logits that the training computes anyway, those of the batch before its update:

- forgetting events and the epoch of first learning (Toneva et al. 2019), see ``forgetting``;
- the area under the margin, the mean over the epochs of the logit of the label less the greatest
  other one (Pleiss et al. 2020, Identifying Mislabeled Data using the Area Under the Margin
  Ranking, section 3, arXiv 2001.10528);
- the cumulative loss, as the mean over the epochs of the cross-entropy;
- the error norm EL2N early in training, see ``error_norm``, of one model: the published score is
  the mean over several;
- whether an example is wrong when it is presented the second time. By then members have been
  trained for one to two epochs, depending on where the example stands in the second one.

One is of a score: whether an example is wrong after one epoch, exactly.
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from rote.measures.error_norm import error_norm
from rote.measures.forgetting import Presentations
from rote.measures.observer import Variables, right
from rote.measures.records import margin

MEANS = "area_under_margin", "cumulative_loss"  # over the epochs
ONCE = "error_norm", "wrong_at_second", "misclassified_after_one"  # of a single epoch


class TrainingDynamics(Presentations):
    """Keeps the proxies of each example; all variables are (example,).

    Besides the counts of ``Presentations`` these are

    - ``area_under_margin`` and ``cumulative_loss`` (nat), means over the epochs in which the
      example was presented; of a member that diverges, over those before: what is not finite does
      not enter;
    - ``error_norm``, that of the presentation in the :meth:`early_epoch`;
    - ``wrong_at_second``, 1 or 0, of the presentation in epoch 2;
    - ``misclassified_after_one``, 1 or 0, of all examples, presented or not; NaN unless members are
      scored at the end of epoch 1.

    Of an example that is not presented the counts are 0 and the others NaN, but for the last; NaN
    is also what belongs to an epoch that a member has not reached when it leaves.
    """

    EARLY = 10  # per cent of the training: Paul et al. 2021 take epochs 10 to 20 of 200

    def __init__(self, *group: object):
        super().__init__(*group)
        members, examples, epochs, device = group
        self.early = self.early_epoch(epochs[-1])
        size = members, examples
        self.state["presentations"] = torch.zeros(size, dtype=torch.int32, device=device)
        for name in MEANS:  # sums so far
            self.state[name] = torch.zeros(size, device=device)
        for name in ONCE:
            self.state[name] = torch.full(size, torch.nan, device=device)

    @classmethod
    def early_epoch(cls, epochs: int) -> int:
        """Return the first epoch at whose end ``EARLY`` per cent of the ``epochs`` are done.

        It is epoch 2 at least, if there is one: in the first one, some examples meet a model that
        has been trained on nothing.
        """
        return min(epochs, max(2, -(-epochs * cls.EARLY // 100)))

    def presented(self, epoch: int, examples: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Enter a batch, see ``Observer``."""
        super().presented(epoch, examples, logits, labels)
        values = margin(logits, labels), cross_entropy(logits, labels, reduction="none")
        finite = (values[0] + values[1]).isfinite()  # NaN, too, of infinities of either sign
        self.state["presentations"].scatter_add_(1, examples, finite.int())
        for name, value in zip(MEANS, values, strict=True):
            entering = torch.where(finite, value, 0).float()
            self.state[name].scatter_add_(1, examples, entering)
        if epoch == self.early:
            self.state["error_norm"].scatter_(1, examples, error_norm(logits, labels).float())
        if epoch == 2:
            wrong = ~right(logits, labels)
            self.state["wrong_at_second"].scatter_(1, examples, wrong.float())

    def scored(self, epoch: int, examples: slice, logits: Tensor, labels: Tensor) -> None:
        """Enter a part of the examples at the end of epoch 1, see ``Observer``."""
        if epoch == 1:
            self.state["misclassified_after_one"][:, examples] = ~right(logits, labels)

    def variables(self, member: int) -> Variables:
        """Return the proxies of a member, see ``Observer``."""
        count = self.state["presentations"][member]
        means = {name: (self.state[name][member] / count).cpu().numpy() for name in MEANS}
        return (
            super().variables(member)
            | {name: (("example",), mean) for name, mean in means.items()}
            | self.of_examples(member, *ONCE)
        )
