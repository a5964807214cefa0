"""Modules that break the law, each in its own way; every check must catch one of them."""

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.context import group_rows
from unrolled.recurrence import Recurrence, Supports
from unrolled.state import map_leaves, where_rows


class Honest(Recurrence):
    """A leaky sum over learned features; those below differ from it in one place."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 3) / 2)

    def initial_state(self, batch_size):
        return self.zeros(batch_size, 3)

    def step(self, x_t, state):
        state = torch.tanh(0.9 * state + x_t @ self.weight)
        return state, state


class OutputTimeFirst(Honest):
    def scan(self, x, state):
        y, state = super().scan(x, state)
        return y.transpose(0, 1), state


class TwoLeaves(NamedTuple):
    sum: Tensor
    count: Tensor


class SharesOneZero(Honest):
    """One zero tensor for two leaves; an in-place step then writes both."""

    def initial_state(self, batch_size):
        zero = self.zeros(batch_size, 3)
        return TwoLeaves(zero, zero)

    def step(self, x_t, state):
        y, total = super().step(x_t, state.sum)
        return y, TwoLeaves(total, state.count + 1)

    def step_(self, x_t, state):
        y, total = super().step(x_t, state.sum)
        state.sum.copy_(total)
        state.count.add_(1)
        return y, state


class GrowingState(Honest):
    def initial_state(self, batch_size):
        return self.zeros(batch_size, 1, 3)

    def step(self, x_t, state):
        state = torch.cat([state, x_t[:, None]], dim=1)
        return state.sum(1) @ self.weight, state


class HalfState(Honest):
    """Keeps its state in half precision, where errors grow with T."""

    def initial_state(self, batch_size):
        return super().initial_state(batch_size).half()

    def step(self, x_t, state):
        y, state = super().step(x_t, state.to(x_t.dtype))
        return y, state.half()


class WrongBlock(Honest):
    """Its scan averages a block, its step takes the block's last frame."""

    stride = 2

    def scan(self, x, state):
        return x.unflatten(1, (-1, 2)).mean(2) @ self.weight, state + x.sum(1)

    def step(self, block, state):
        return block[:, -1] @ self.weight, state + block.sum(1)


class LimitWithoutReason(Honest):
    supports = Supports(training=False)


class WritesItsState(Honest):
    """Adds into the state that it was given."""

    def step(self, x_t, state):
        state += x_t @ self.weight
        return state.clone(), state


class KeepsStateInABuffer(Honest):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("last", torch.zeros(1))

    def step(self, x_t, state):
        y, state = super().step(x_t, state)
        self.last = self.last + y.detach().mean()
        return y + 0 * self.last, state


class KeepsItsGraph(Honest):
    """Computes something of its weight once and keeps it, graph and all."""

    cached = None

    def step(self, x_t, state):
        if self.cached is None:
            self.cached = torch.tanh(self.weight)
        state = 0.9 * state + x_t @ self.cached
        return state, state


class LeaksTheFuture(Honest):
    def scan(self, x, state):
        y, state = super().scan(x, state)
        return y + 0.1 * torch.cat([x[:, 1:], x[:, -1:]], dim=1), state


class MixesRows(Honest):
    def step(self, x_t, state):
        y, state = super().step(x_t - x_t.mean(0), state)
        return y, state


class OffByOneAtACut(Honest):
    """A convolution whose state keeps the frames up to the last but one."""

    def scan(self, x, state):
        frames = torch.cat([state[:, None], x], dim=1)
        y = (frames[:, 1:] + frames[:, :-1]) @ self.weight
        return y, frames[:, -2]


class DetachesItsState(Honest):
    """Right in every value, but no gradient passes from one call to the one before."""

    def scan(self, x, state):
        return super().scan(x, state.detach())


class StepIsNotScan(Honest):
    def scan(self, x, state):
        y, state = super().scan(x, state)
        return 1.001 * y, state


class InPlaceStepForgets(Honest):
    def step_(self, x_t, state):
        y, _ = super().step(x_t, state)
        return y, state


class KeepsNotesAboutStates(Honest):
    """Keeps the exact state beside the one that it returns, which is rounded."""

    def step(self, x_t, state):
        y, after = super().step(x_t, getattr(state, "exact", state))
        returned = after.round(decimals=2)
        returned.exact = after
        return y, returned


class ForgetsLengths(Honest):
    def ragged_scan(self, x, state, lengths, reset):
        return super().ragged_scan(x, state, torch.full_like(lengths, x.shape[1]), reset)


class MasksAfterTheStep(Honest):
    """Serves lengths by choosing afterwards: right values, NaN in the gradients."""

    def ragged_scan(self, x, state, lengths, reset):
        outputs = []
        for t in range(x.shape[1]):
            state = where_rows(reset[:, t] & (t < lengths), self.initial_state(len(x)), state)
            y_t, after = self.step(x[:, t], state)
            state = where_rows(t < lengths, after, state)
            outputs.append(where_rows(t < lengths, y_t, torch.zeros_like(y_t)))
        return torch.stack(outputs, dim=1), state


class IgnoresReset(Honest):
    def ragged_scan(self, x, state, lengths, reset):
        return super().ragged_scan(x, state, lengths, torch.zeros_like(reset))


class ResetsByMultiplication(Honest):
    def ragged_scan(self, x, state, lengths, reset):
        outputs = []
        for t in range(x.shape[1]):
            alive = t < lengths
            x_t = torch.where(alive[:, None], x[:, t], 0)
            y_t, after = self.step(x_t, state * ~(reset[:, t] & alive)[:, None])
            state = where_rows(alive, after, state)
            outputs.append(where_rows(alive, y_t, torch.zeros_like(y_t)))
        return torch.stack(outputs, dim=1), state


class ResetDropsTheCarriedState(Honest):
    """A row that resets anywhere in a chunk loses what it carried from the chunk's start on."""

    def ragged_scan(self, x, state, lengths, reset):
        alive = torch.arange(x.shape[1]) < lengths[:, None]
        resets = (reset & alive).any(dim=1)
        state = where_rows(resets, torch.zeros_like(state), state)
        return super().ragged_scan(x, state, lengths, reset)


class Bias(NamedTuple):
    bias: Tensor


class HonestWithContext(Honest):
    context_type = Bias

    def step(self, x_t, state):
        grouped = group_rows(x_t, len(self.context.bias)) + self.context.bias[:, None]
        return super().step(grouped.flatten(0, 1), state)


class TilesItsContext(HonestWithContext):
    """Repeats the whole context, where each of its rows should be repeated."""

    def step(self, x_t, state):
        bias = self.context.bias
        return Honest.step(self, x_t + bias.repeat(len(x_t) // len(bias), 1), state)


class KeepsWorkOfTheContext(HonestWithContext):
    """Computes from the context when it is bound, and selects rows of the context alone."""

    def given(self, context):
        bound = super().given(context)
        bound.ready = torch.tanh(context.bias)
        return bound

    def step(self, x_t, state):
        assert self.context is not None
        ready = self.ready[: len(x_t)]
        grouped = group_rows(x_t, len(ready)) + ready[:, None]
        return Honest.step(self, grouped.flatten(0, 1), state)


class DetachesItsContext(HonestWithContext):
    def given(self, context):
        return super().given(map_leaves(torch.detach, context))


class OrdinaryDropout(Honest):
    """Takes its masks from torch's generator, which a cut does not bring back."""

    def step(self, x_t, state):
        y, state = super().step(x_t, state)
        return F.dropout(y, 0.5, self.training), state


class ForgetsToSaveItsScale(Honest):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.rand(3), persistent=False)

    def step(self, x_t, state):
        y, state = super().step(x_t, state)
        return y * self.scale, state


class SharesItsCopies(Honest):
    copies: ClassVar[list] = []

    def __deepcopy__(self, memo):
        return self


class RefusesToMove(Honest):
    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.ones(1, dtype=torch.float64)

    def step(self, x_t, state):
        y, state = super().step(x_t, state)
        return y * self.scale, state


class WrongBackward(Honest):
    def step(self, x_t, state):
        state = _WrongTanh.apply(0.9 * state + x_t @ self.weight)
        return state, state


class _WrongTanh(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.tanh(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (1 - torch.tanh(x))
