"""Forgetting events: how often an example is right, and the next time wrong (Toneva et al. 2019).

An example is forgotten when it is right at one presentation in a batch and wrong at the next one;
it is unforgettable if it was right at some presentation and was never forgotten (An Empirical Study
of Example Forgetting during Deep Neural Network Learning, section 3, definitions 1 to 3). The same
is counted between the scores at the ends of epochs, at which all examples meet the same model.
"""

import torch
from torch import Tensor

from rote.measures.observer import Observer, Variables, right

COUNTS = "forgetting_events", "first_learned"  # when presented, as published
SCORED = "forgetting_events_scored", "first_learned_scored"  # between scores


class Presentations(Observer):
    """Counts forgetting events between presentations; its variables are (example,) each.

    ``first_learned`` is the epoch in which an example was first right when it was presented, 0 if
    it never was: each example is presented once an epoch. Both are 0 of one that is not presented.
    """

    def __init__(self, *group: object):
        super().__init__(*group)
        self._begin(COUNTS, "right", *group)

    def _begin(self, names: tuple[str, str], last: str, members, examples, _, device) -> None:
        """Begin to count, with every example wrong."""
        size = members, examples
        for name in names:
            self.state[name] = torch.zeros(size, dtype=torch.int32, device=device)
        self.state[last] = torch.zeros(size, dtype=torch.bool, device=device)

    def presented(self, epoch: int, examples: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Compare each example of a batch with its last presentation."""
        now, before = right(logits, labels), self.state["right"].gather(1, examples)
        events, learned = (self.state[name] for name in COUNTS)
        events.scatter_add_(1, examples, (before & ~now).int())
        learned.scatter_(1, examples, _first(learned.gather(1, examples), now, epoch))
        self.state["right"].scatter_(1, examples, now)

    def variables(self, member: int) -> Variables:
        """Return the counts of a member, see ``Observer``."""
        return self.of_examples(member, *COUNTS)


class Forgetting(Presentations):
    """Counts forgetting events between presentations, and between scores."""

    def __init__(self, *group: object):
        super().__init__(*group)
        self._begin(SCORED, "right_scored", *group)

    def scored(self, epoch: int, examples: slice, logits: Tensor, labels: Tensor) -> None:
        """Compare a part of the examples with their last score."""
        now, before = right(logits, labels), self.state["right_scored"][:, examples]
        events, learned = (self.state[name][:, examples] for name in SCORED)
        events += before & ~now
        learned.copy_(_first(learned, now, epoch))
        before.copy_(now)

    def variables(self, member: int) -> Variables:
        """Return the counts of a member, see ``Observer``."""
        return super().variables(member) | self.of_examples(member, *SCORED)


def _first(learned: Tensor, now: Tensor, epoch: int) -> Tensor:
    return torch.where(now & (learned == 0), epoch, learned)
