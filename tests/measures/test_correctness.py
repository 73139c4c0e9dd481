"""What is right at the last score, of examples that come in parts, against NumPy."""

import numpy as np
import torch

from rote.measures.correctness import Correctness
from rote.measures.records import unpacked


def test_the_last_score_is_kept_of_all_parts(device):
    rng = np.random.default_rng(0)
    observer = Correctness(3, 21, [1, 2], device)
    sizes, parts = {"scored": 21, "validated": 13}, (slice(0, 9), slice(9, 18), slice(18, None))
    for epoch in (1, 2):
        last = {}
        for name, count in sizes.items():
            logits, labels = rng.normal(size=(3, 4, count)), rng.integers(0, 4, (3, count))
            last[name] = logits.argmax(1) == labels
            for part in parts:
                if part.start < count:
                    examples = slice(*part.indices(count)[:2])
                    seen = logits[..., examples], labels[:, examples]
                    own = (torch.from_numpy(values).to(device) for values in seen)
                    getattr(observer, name)(epoch, examples, *own)
    for member in range(3):
        found = observer.variables(member)
        for name, (kept, along) in {
            "scored": ("right", "byte"),
            "validated": ("validation_right", "validation_byte"),
        }.items():
            dims, bits = found[kept]
            assert dims == (along,)
            np.testing.assert_array_equal(unpacked(bits, sizes[name]), last[name][member])


def test_without_validation_examples_there_are_no_bits(device):
    observer = Correctness(2, 10, [1], device)
    labels = torch.zeros(2, 10, dtype=torch.int64, device=device)
    observer.scored(1, slice(0, 10), torch.zeros(2, 3, 10, device=device), labels)
    found = observer.variables(1)
    assert unpacked(found["right"][1], 10).all()  # of equal logits, the first class
    assert found["validation_right"][1].shape == (0,)
