"""Functions on trees."""

import pytest
import torch

from unrolled.cells import LSTMState
from unrolled.state import (
    as_rows,
    detach,
    from_named_leaves,
    leaves,
    map_leaves,
    named_leaves,
    select_rows,
    time_slice,
    time_steps,
    to,
    where_rows,
)

TREE = (LSTMState(torch.ones(2, 3), torch.zeros(2, 3)), (), torch.arange(2))


def test_mapping_keeps_the_names() -> None:
    doubled = map_leaves(lambda leaf: leaf * 2, TREE)
    assert isinstance(doubled[0], LSTMState)
    assert doubled[0].h.sum() == 12
    assert doubled[1] == ()


def test_trees_of_other_structure_are_not_zipped() -> None:
    with pytest.raises(ValueError, match="zip"):
        map_leaves(torch.add, TREE, (TREE[0],))


def test_leaves_have_paths_and_come_back_from_them() -> None:
    assert list(named_leaves(TREE)) == ["0.h", "0.c", "2"]
    assert list(named_leaves(torch.ones(1))) == [""]
    rebuilt = from_named_leaves(named_leaves(TREE))
    assert rebuilt[0].c.shape == (2, 3)
    assert len(leaves(rebuilt)) == 3
    assert torch.equal(from_named_leaves({"": torch.ones(1)}), torch.ones(1))


def test_a_mask_lines_up_from_the_left() -> None:
    square = torch.zeros(3, 3)
    mask = torch.tensor([True, False, False])
    assert torch.where(as_rows(mask, square), 1.0, square).sum(1).tolist() == [3, 0, 0]


def test_rows_are_chosen_and_not_multiplied() -> None:
    spoiled = torch.full((2, 3), torch.nan)
    chosen = where_rows(torch.tensor([True, False]), torch.ones(2, 3), spoiled)
    assert chosen[0].tolist() == [1, 1, 1]
    assert chosen[1].isnan().all()


def test_rows_may_repeat() -> None:
    picked = select_rows(TREE, torch.tensor([1, 1, 0]))
    assert picked[2].tolist() == [1, 1, 0]


def test_casting_leaves_integers_alone() -> None:
    cast = to(TREE, dtype=torch.float64)
    assert cast[0].h.dtype == torch.float64
    assert cast[2].dtype == torch.int64


def test_detaching_cuts_the_graph() -> None:
    assert not detach(torch.ones(1, requires_grad=True) * 2).requires_grad


def test_time_is_cut_into_steps_or_blocks() -> None:
    x = torch.arange(12).view(1, 6, 2)
    assert [step.tolist() for step in time_steps(x)][1] == [[2, 3]]
    assert [block.shape for block in time_steps(x, 2)] == [(1, 2, 2)] * 3
    assert time_slice(x, 4, 6).tolist() == [[[8, 9], [10, 11]]]
