import pytest
import torch

from rote.measures.softmax import FEW, softmax


@pytest.mark.parametrize("shape", [(7, 3), (7, FEW), (7, FEW + 1), (2, 5, 3), (1, 4, 2)])
def test_it_is_the_softmax_along_the_classes(shape, device):
    logits = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    logits[..., 0] = -torch.inf  # as where a class is left out
    found = softmax(logits.to(device))
    torch.testing.assert_close(found.cpu(), logits.exp() / logits.exp().sum(-1, keepdim=True))
    assert found.is_contiguous()
