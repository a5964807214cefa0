"""The largest logits of every row, found natively, against the sort of its naive twin."""

import pytest
import torch

from tests.kernels.machines import choose, every_isa, needs_library
from unrolled.kernels import naive
from unrolled.kernels.likeliest import PackedHead, likeliest, serves

SIZES = [(1, 1, 1), (3, 7, 7), (5, 129, 4), (13, 1153, 5), (7, 2000, 131), (211, 401, 1), (0, 9, 2)]


def assert_equal(found: tuple, expected: tuple) -> None:
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])
    assert torch.allclose(found[2], expected[2], rtol=1e-6, atol=1e-6)


@every_isa
@pytest.mark.parametrize(("rows", "size", "k"), SIZES)
@pytest.mark.parametrize("levels", [0, 3])
def test_they_are_those_of_a_stable_sort(rows, size, k, levels, isa, monkeypatch) -> None:
    choose(isa, monkeypatch)
    logits = 9 * torch.randn(rows, size)
    if levels:  # of equals the first
        logits = torch.randint(levels, (rows, size)).float()
    assert_equal(likeliest(logits, k), naive.likeliest(logits, k))
    strided = torch.stack([logits, logits], dim=2)[:, :, 1]
    assert_equal(likeliest(strided, k), naive.likeliest(logits, k))


@every_isa
@pytest.mark.parametrize(("rows", "size", "k"), SIZES)
@pytest.mark.parametrize("has_bias", [False, True])
def test_those_of_a_product_are_those_of_its_logits(
    rows, size, k, has_bias, isa, monkeypatch
) -> None:
    choose(isa, monkeypatch)
    # Small whole numbers: no product rounds, whatever the order of its sums.
    features = torch.randint(-3, 4, (rows, 17)).float()
    weight = torch.randint(-3, 4, (size, 17)).float()
    bias = torch.randint(-3, 4, (size,)).float() if has_bias else None
    head = PackedHead(weight, bias)
    logits = torch.nn.functional.linear(features, weight, bias)
    assert_equal(head.likeliest(features, k), naive.likeliest(logits, k))


@every_isa
def test_a_row_does_not_depend_on_rows_beside_it_nor_on_threads(isa, monkeypatch) -> None:
    choose(isa, monkeypatch)
    head, features = PackedHead(torch.randn(1201, 29), None), torch.randn(397, 29)
    whole = head.likeliest(features, 5)
    alone = head.likeliest(features[200:201], 5)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        two = head.likeliest(features, 5)
    finally:
        torch.set_num_threads(before)
    for one, other, single in zip(whole, two, alone, strict=True):
        assert torch.equal(one, other)
        assert torch.equal(one[200:201], single)


@every_isa
@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("is_product", [False, True])
def test_few_rows_are_shared_among_threads_by_columns(rows, is_product, isa, monkeypatch) -> None:
    choose(isa, monkeypatch)
    size, before = 300_001, torch.get_num_threads()
    # Whole numbers: of equals, which lie in every share, the first come first.
    features, weight = (
        torch.randint(-3, 4, (rows, 3)).float(),
        torch.randint(-3, 4, (size, 3)).float(),
    )
    logits = features @ weight.T
    head, found = PackedHead(weight, None), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(head.likeliest(features, 70) if is_product else likeliest(logits, 70))
    finally:
        torch.set_num_threads(before)
    assert_equal(found[0], naive.likeliest(logits, 70))
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            assert torch.equal(one, two)


@every_isa
@pytest.mark.parametrize("place", [0, 700, 1200])
@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_a_row_that_is_no_distribution_is_seen(place, wrong, isa, monkeypatch) -> None:
    choose(isa, monkeypatch)
    logits = torch.randn(3, 1201)
    logits[1, place] = wrong
    values, _, log_sums = likeliest(logits, 4)
    assert (values[:, 0] + log_sums).isfinite().tolist() == [True, False, True]
    values, _, log_sums = likeliest(torch.full((1, 5), -torch.inf), 2)
    assert not (values[:, 0] + log_sums).isfinite().any()


@every_isa
def test_what_is_impossible_adds_nothing(isa, monkeypatch) -> None:
    choose(isa, monkeypatch)
    logits = torch.full((1, 1201), -torch.inf)
    logits[0, [400, 1200]] = torch.tensor([-300.0, -301.0])
    values, columns, log_sums = likeliest(logits, 3)
    assert columns.tolist() == [[400, 1200, 0]]
    assert values.tolist() == [[-300.0, -301.0, -torch.inf]]
    assert log_sums.item() == pytest.approx(0.3132616875, rel=1e-6)  # log(1 + 1/e)


@needs_library
def test_other_tensors_are_not_served(monkeypatch) -> None:
    assert serves(torch.zeros(2, 3))
    assert not serves(torch.zeros(2, 3, dtype=torch.float64))
    assert not serves(torch.zeros(2, 3, device="meta"))
    choose("none", monkeypatch)
    assert not serves(torch.zeros(2, 3))
