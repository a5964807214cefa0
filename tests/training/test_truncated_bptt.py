"""What is carried and what is cut: gradients against graphs that are cut by hand."""

import copy

import pytest
import torch

from tests.training.runs import Pieces, model, squared_error, training
from unrolled.state import detach
from unrolled.training.truncated_bptt import Chunk, TruncatedBPTT


def gradients_of_a_run(**options) -> tuple[list, list]:
    """Return the gradients of three updates, and the weights before each."""
    network, gradients = model(), []
    weights = [copy.deepcopy(network.state_dict())]

    def remember(progress) -> None:
        if progress.loss is not None:
            gradients.append([p.grad.clone() for p in network.parameters()])
            weights.append(copy.deepcopy(network.state_dict()))

    training(network, report=remember, max_steps=3, clip_norm=0.0, **options).run()
    return gradients, weights


def assert_gradients(got: list, loss: torch.Tensor, twin: torch.nn.Module) -> None:
    for mine, theirs in zip(got, torch.autograd.grad(loss, list(twin.parameters())), strict=True):
        assert (mine - theirs).abs().max() <= 1e-10


def test_the_gradient_is_that_of_the_graph_cut_at_the_windows() -> None:
    gradients, weights = gradients_of_a_run()
    twin, state = model(), None
    for chunk, got, before in zip(Pieces(), gradients, weights, strict=False):
        twin.load_state_dict(before)
        y, state = twin(chunk.x, None if state is None else detach(state))
        assert_gradients(got, squared_error(y, chunk.target), twin)


def test_with_two_windows_back_the_cut_is_one_window_further() -> None:
    gradients, weights = gradients_of_a_run(window=4, backward_steps=8)
    data, twin = Pieces(), model()
    twin.load_state_dict(weights[0])
    _, after_first = twin(data[0].x)
    twin.load_state_dict(weights[2])
    _, middle = twin(data[1].x, detach(after_first))
    y, _ = twin(data[2].x, middle)
    assert_gradients(gradients[2], squared_error(y, data[2].target), twin)


def test_as_many_windows_as_there_are_is_no_truncation() -> None:
    bptt, network, data = TruncatedBPTT(3), model(), Pieces()
    for number in (0, 1):
        _, _, after = bptt.forward(network, data[number], squared_error)
        bptt.keep(data[number], after)
    _, loss, _ = bptt.forward(network, data[2], squared_error)
    got = torch.autograd.grad(loss, list(network.parameters()))
    y, _ = network(data.x)
    assert_gradients(list(got), squared_error(y[:, 8:], data[2].target), network)


def test_the_loss_does_not_depend_on_where_the_graph_is_cut() -> None:
    network, data = model(), Pieces()
    losses = []
    for windows_back in (1, 2, 3):
        bptt = TruncatedBPTT(windows_back)
        for chunk in data:
            _, loss, after = bptt.forward(network, chunk, squared_error)
            bptt.keep(chunk, after)
        losses.append(loss.item())
    assert max(losses) - min(losses) <= 1e-12


@pytest.mark.parametrize("carry", [True, False])
def test_a_state_is_carried_within_an_epoch_only(carry: bool) -> None:
    bptt, network, data = TruncatedBPTT(carry=carry), model(), Pieces()
    starts = []
    for number in (0, 1, 2, 0):
        chunk = data[number]
        y, _, after = bptt.forward(network, chunk, squared_error)
        starts.append(torch.equal(y, network(chunk.x)[0]))
        bptt.keep(chunk, after)
    assert starts == ([True, False, False, True] if carry else [True] * 4)


def test_nothing_that_is_carried_has_a_graph() -> None:
    bptt, network = TruncatedBPTT(2), model()
    for chunk in Pieces():
        _, _, after = bptt.forward(network, chunk, squared_error)
        bptt.keep(chunk, after)
        assert not any(state[0].h.requires_grad for state in bptt.states)
    assert isinstance(bptt.chunks[0], Chunk)
    assert len(bptt.chunks) == 1
    assert len(bptt.states) == 2
