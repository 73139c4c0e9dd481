"""Products by either library: the same numbers, the same for every company, and what is said."""

from pathlib import Path

import numpy as np
import pytest
import threadpoolctl
import torch

from rote.machine import products
from rote.machine.errors import UserError

OPENBLAS = products._openblas()
has_openblas = pytest.mark.skipif(not OPENBLAS, reason="NumPy has no OpenBLAS here")
KINDS = ["torch", pytest.param("openblas", marks=has_openblas)]


@pytest.fixture(autouse=True)
def chosen_again(monkeypatch):
    monkeypatch.setattr(products._Chosen, "kind", products._Chosen.kind)


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    products.choose(request.param)
    return request.param


def _factors(members: int = 5, rows: int = 7, inner: int = 33, columns: int = 18) -> tuple:
    rng = np.random.default_rng(3)
    left = rng.normal(size=(members, rows, inner)).astype(np.float32)
    right = rng.normal(size=(members, inner, columns)).astype(np.float32)
    return torch.from_numpy(left), torch.from_numpy(right)


def test_a_product_is_that_of_float64(kind):
    left, right = _factors()
    out = torch.empty(5, 7, 18)
    products.multiply(left, right, out)
    np.testing.assert_allclose(out, left.double() @ right.double(), rtol=1e-5, atol=1e-5)
    transposed = torch.empty(5, 33, 33)
    products.multiply(left.mT, left, transposed)
    expected = left.double().mT @ left.double()
    np.testing.assert_allclose(transposed, expected, rtol=1e-5, atol=1e-5)


def test_a_left_side_that_is_the_same_for_all_members_is_not_repeated(kind):
    left, right = _factors()
    shared, out = left[:1].expand(5, -1, -1), torch.empty(5, 7, 18)
    products.multiply(shared, right, out)
    np.testing.assert_allclose(out, left[0].double() @ right.double(), rtol=1e-5, atol=1e-5)


def test_a_bias_is_added_to_every_row(kind):
    left, right = _factors()
    bias, out = torch.arange(18.0).expand(5, 1, 18), torch.empty(5, 7, 18)
    products.multiply_and_add(bias, left, right, out)
    expected = left.double() @ right.double() + bias
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(2**20, id="all at once"),
        pytest.param(2 * 7 * 18, id="two members at a time, the last one alone"),
        pytest.param(3 * 18, id="three rows at a time"),
        pytest.param(5, id="less than a row"),
    ],
)
def test_a_product_is_added_part_by_part(kind, numbers, monkeypatch):
    monkeypatch.setattr(products, "_scratch", lambda dtype: torch.empty(numbers, dtype=dtype))
    left, right = _factors()
    target = torch.ones(5, 7, 18)
    assert products.add_product(target, left, right, -0.5) is target
    expected = 1 - 0.5 * left.double() @ right.double()
    np.testing.assert_allclose(target, expected, rtol=1e-5, atol=1e-5)


def test_a_part_of_a_tensor_is_added_to_where_it_lies(kind):
    left, right = _factors()
    whole = torch.zeros(5, 8, 20)
    products.add_product(whole[:, :7, :18], left, right)
    expected = left.double() @ right.double()
    np.testing.assert_allclose(whole[:, :7, :18], expected, rtol=1e-5, atol=1e-5)
    assert not whole[:, 7].any() and not whole[:, :, 18:].any()


def test_a_member_does_not_depend_on_its_company_to_the_last_bit(kind):
    left, right = _factors(members=9, rows=50, inner=200, columns=64)
    out, target = torch.empty(9, 50, 64), torch.zeros(9, 50, 64)
    products.multiply(left, right, out)
    products.add_product(target, left, right, 0.1)
    for some in (slice(0, 1), slice(4, 7)):
        own = torch.empty_like(out[some])
        assert torch.equal(products.multiply(left[some], right[some], own), out[some])
        own.zero_()
        products.add_product(own, left[some], right[some], 0.1)
        assert torch.equal(own, target[some])


def test_double_precision_stays(kind):
    left, right = (factor.double() for factor in _factors())
    out = torch.empty(5, 7, 18, dtype=torch.float64)
    products.multiply(left, right, out)
    np.testing.assert_allclose(out, left.numpy() @ right.numpy(), rtol=1e-13, atol=1e-13)


def test_numbers_that_are_too_large_are_infinite_without_a_word(kind):
    out = torch.empty(1, 1, 1)
    products.multiply(torch.full((1, 1, 2), 1e30), torch.full((1, 2, 1), 1e30), out)
    assert out.item() == float("inf")


def test_memory_for_a_part_serves_within_inference_mode_and_without(kind):
    left, right = _factors()
    products._scratch.cache_clear()
    with torch.inference_mode():
        products.add_product(torch.zeros(5, 7, 18), left, right)
    assert products.add_product(torch.zeros(5, 7, 18), left, right).any()


@pytest.mark.parametrize(
    ("name", "threads", "library", "expected"),
    [
        ("AMD EPYC 9755", 1, {"version": "1"}, "openblas"),
        ("AMD EPYC 9755", 8, {"version": "1"}, "torch"),
        ("AMD EPYC 9755", 1, None, "torch"),
        ("Intel(R) Xeon(R) Platinum 8592+", 1, {"version": "1"}, "torch"),
        ("", 1, {"version": "1"}, "torch"),
    ],
)
def test_the_machine_alone_decides(name, threads, library, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"cpu_name": name})
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(products, "_openblas", lambda: library)
    products.choose("auto")
    assert products._Chosen.kind == expected


@has_openblas
def test_openblas_is_found_behind_a_link(tmp_path, monkeypatch):
    place = Path(np.__file__).resolve().parent
    (tmp_path / "lib64").symlink_to(place.parent)
    monkeypatch.setattr(np, "__file__", str(tmp_path / "lib64" / place.name / "__init__.py"))
    assert products._openblas.__wrapped__() == OPENBLAS | {"num_threads": 1}


def test_openblas_where_there_is_none_is_refused(monkeypatch):
    monkeypatch.setattr(products, "_openblas", lambda: None)
    with pytest.raises(UserError, match="products is openblas, but NumPy has another library"):
        products.choose("openblas")


def test_it_is_said_which_kernels_multiply(kind):
    expected = "torch"
    if kind == "openblas":
        expected = f"OpenBLAS {OPENBLAS['version']} ({OPENBLAS['architecture']})"
    assert products.describe() == expected


@has_openblas
def test_threads_are_those_of_every_library():
    before = torch.get_num_threads()
    try:
        for count in (2, 1):
            products.use_threads(count)
            pools = threadpoolctl.threadpool_info()
            found = {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}
            assert (torch.get_num_threads(), found) == (count, {count})
    finally:
        products.use_threads(before)


@has_openblas
def test_one_thread_is_of_the_body_alone():
    before = torch.get_num_threads()
    try:
        products.use_threads(2)
        products.choose("torch")
        with products.one_thread():
            assert torch.get_num_threads() == 1
            assert products._Chosen.kind == products._fastest()
        assert torch.get_num_threads() == 2
        assert products._Chosen.kind == "torch"
        pools = threadpoolctl.threadpool_info()
        assert {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"} == {2}
    finally:
        products.use_threads(before)
