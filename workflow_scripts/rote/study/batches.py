"""How much is computed at once.

It decides how sums are rounded, so none of it depends on how many members are computed together;
and what a computation costs, which :mod:`rote.study.cost` counts without importing torch.
"""

from rote.machine.errors import UserError

EVALUATED = 250  # examples
EVALUATED_BY_CNN = 125  # examples; a few hundred would need far more memory than training does
SEARCHED = 1024  # examples, for critical samples
# Numbers in the patches of a member that are held at once, 1 MB: larger ones leave the cache
# before they are multiplied.
STRIP = 2**18


def check_last(batch_size: int, examples: int, smallest: int) -> None:
    """Check that the last batch of an epoch is not too small for the model.

    Raises:
        UserError: it holds fewer than ``smallest`` examples.
    """
    last = (examples - 1) % batch_size + 1
    if last < smallest:
        raise UserError(
            f"With batch_size {batch_size} the last batch of {examples} training examples "
            f"holds {last}, but batch normalisation needs {smallest}: "
            "change batch_size or train_examples."
        )
