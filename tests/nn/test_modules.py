"""The layers as modules: copies, files, changed weights, scripts, and torch's other names."""

import copy
import io
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch.nn.utils import parametrizations, prune
from torch.utils.checkpoint import checkpoint

from tests.nn.conftest import Counts
from tests.nn.pairs import C, D, assert_close, assert_equal, draw, gradients, pair, tensors_of
from unrolled import nn

NAMES = ["RNN", "GRU", "LSTM"]


def both(kind: str = "LSTM", **options: Any) -> tuple[torch.nn.RNNBase, torch.nn.RNNBase]:
    return pair(kind, 2, bidirectional=True, **options)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_torchs_class_by_name_and_parts(name: str) -> None:
    torch.manual_seed(3)
    ours = getattr(nn, name)(C, D, 2, bidirectional=True, batch_first=True)
    torch.manual_seed(3)
    theirs = getattr(torch.nn, name)(C, D, 2, bidirectional=True, batch_first=True)
    assert isinstance(ours, getattr(torch.nn, name))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert_equal(list(ours.parameters()), list(theirs.parameters()))  # and the same first draws
    ours.flatten_parameters()
    assert [len(weights) for weights in ours.all_weights] == [4] * 4


def test_device_and_dtype_are_constructor_arguments() -> None:
    layer = nn.GRU(C, D, device="meta", dtype=torch.float64)
    assert layer.weight_hh_l0.is_meta
    assert layer.weight_hh_l0.dtype == torch.float64
    assert layer(torch.zeros(5, 2, C, device="meta", dtype=torch.float64))[0].shape == (5, 2, D)


@pytest.mark.parametrize("name", ["Linear", "Module", "functional", "utils", "LSTMCell"])
def test_other_names_are_torchs(name: str) -> None:
    assert getattr(nn, name) is getattr(torch.nn, name)
    assert name in dir(nn)


def test_a_name_of_neither_is_said_to_be() -> None:
    with pytest.raises(
        AttributeError, match=r"neither unrolled\.nn nor torch\.nn has .* 'Nothing'"
    ):
        _ = nn.Nothing


def saved(layer: torch.nn.Module) -> torch.nn.Module:
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def replica(layer: torch.nn.Module) -> torch.nn.Module:
    """Return what DataParallel makes of a layer: a shallow copy given other tensors."""
    made = layer._replicate_for_data_parallel()
    for name, parameter in layer.named_parameters():
        setattr(made, name, parameter.detach().clone())
    return made


COPIES: dict[str, Callable[[torch.nn.Module], torch.nn.Module]] = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda layer: pickle.loads(pickle.dumps(layer)),
    "save": saved,
    "replica": replica,
    "to and from": lambda layer: copy.deepcopy(layer).double().float(),
}


@pytest.mark.parametrize("way", COPIES)
def test_copies_run_natively_and_alike(way: str, runs: list[Counts]) -> None:
    ours, _ = both()
    x = draw("unsorted")
    expected = tensors_of(ours(x))
    ran = len(runs)
    assert_equal(tensors_of(COPIES[way](ours)(x)), expected)
    assert len(runs) == 2 * ran


def test_a_deep_copy_has_weights_of_its_own() -> None:
    ours, _ = both()
    x = draw("unsorted")
    expected = tensors_of(ours(x))
    other = copy.deepcopy(ours)
    with torch.no_grad():
        other.weight_ih_l0.zero_()
    assert_equal(tensors_of(ours(x)), expected)
    assert not torch.equal(tensors_of(other(x))[0], expected[0])


def with_data(layer: torch.nn.RNNBase) -> None:
    for parameter in layer.parameters():
        parameter.data.mul_(0.7)


def with_optimizer(layer: torch.nn.RNNBase, **options: bool) -> None:
    optimizer = torch.optim.Adam(layer.parameters(), 0.05, **options)
    for parameter in layer.parameters():
        parameter.grad = torch.linspace(-1, 1, parameter.numel()).view_as(parameter)
    optimizer.step()


def with_new_parameter(layer: torch.nn.RNNBase) -> None:
    layer.weight_hh_l1 = torch.nn.Parameter(layer.weight_hh_l1.detach() * 0.3)


def with_new_storage(layer: torch.nn.RNNBase) -> None:
    layer.weight_ih_l0.data = torch.full_like(layer.weight_ih_l0, 0.2)


def with_state_dict(layer: torch.nn.RNNBase) -> None:
    weights = {name: tensor * 0.5 for name, tensor in layer.state_dict().items()}
    layer.load_state_dict(weights, assign=True)


CHANGES: dict[str, Callable[[torch.nn.RNNBase], None]] = {
    ".data": with_data,
    "optimizer": with_optimizer,
    "fused optimizer": lambda layer: with_optimizer(layer, fused=True),
    "new parameter": with_new_parameter,
    "new storage": with_new_storage,
    "state dict": with_state_dict,
    "weight norm": lambda layer: parametrizations.weight_norm(layer, "weight_hh_l0"),
    "pruning": lambda layer: prune.l1_unstructured(layer, "weight_hh_l0", amount=0.5),
    "tied": lambda layer: setattr(layer, "weight_hh_l1", layer.weight_hh_l0),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_changed_weights_are_seen(kind: str, change: str, runs: list[Counts]) -> None:
    ours, theirs = both(kind)
    x = draw("unsorted")
    before = tensors_of(ours(x))
    for layer in (ours, theirs):
        CHANGES[change](layer)
    got, wanted = ours(x), theirs(x)
    assert_close(tensors_of(got), tensors_of(wanted))
    assert_close(gradients(ours, got, x), gradients(theirs, wanted, x))
    if change != "weight norm":  # which leaves the weight what it was
        assert not torch.equal(tensors_of(got)[0], before[0])
    assert len(runs) == 4 + 8


def test_recomputed_in_backward_it_has_the_same_gradients(runs: list[Counts]) -> None:
    ours, _ = both("GRU", dropout=0.5)
    x = torch.randn(5, 2, C, requires_grad=True)
    torch.manual_seed(1)
    expected = gradients(ours, ours(x), x)
    torch.manual_seed(1)
    got = checkpoint(ours, x, use_reentrant=False)
    assert_equal(gradients(ours, got, x), expected)
    assert len(runs) == 8 + 12


def test_hooks_run(runs: list[Counts]) -> None:
    ours, _ = both("GRU")
    seen: list[str] = []
    ours.register_forward_pre_hook(lambda *_: seen.append("before"))
    ours.register_forward_hook(lambda *_: seen.append("after"))
    ours.register_full_backward_hook(lambda *_: seen.append("backward"))
    ours(draw("padded"))[0].sum().backward()
    assert seen == ["before", "after", "backward"]
    assert runs


def test_threads_share_the_plans(runs: list[Counts]) -> None:
    ours, theirs = both()
    inputs = [draw("unsorted") for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ours, inputs))
    for x, got in zip(inputs, found, strict=True):
        assert_close(tensors_of(got), tensors_of(theirs(x)))
    assert len(runs) == 8 * 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TorchScript is, and widely used
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")  # from torch's own checks of sizes
def test_torchscript_gets_torchs_layer(name: str, runs: list[Counts]) -> None:
    ours, theirs = pair(name, 2)
    x = torch.randn(5, 2, C)
    expected = tensors_of(theirs(x))
    assert_equal(tensors_of(torch.jit.trace(torch.nn.Sequential(ours), x)(x)), expected)
    runs.clear()  # to check itself, trace runs the layer untraced too
    scripted = torch.jit.script(torch.nn.Sequential(ours))
    assert_equal(tensors_of(scripted(x)), expected)
    with torch.no_grad():
        ours.weight_hh_l0.zero_()
    assert_equal(list(scripted.parameters()), list(ours.parameters()))  # shared, not copied
    assert not runs
    ours(x)
    assert len(runs) == 2
