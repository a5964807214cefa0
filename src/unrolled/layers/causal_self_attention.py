"""Self-attention over the last steps, with its keys and values in a ring."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.shapes import check_shape


class RingState(NamedTuple):
    """Keys and values of the last W steps; step p is kept in slot p mod W."""

    keys: Float[Tensor, "B W E"]  # at least float32
    values: Float[Tensor, "B W E"]
    step: Int64[Tensor, " B"]  # steps made so far


class CausalSelfAttention(Recurrence[RingState]):
    """Multi-head self-attention in which step t looks at steps t - window + 1 ... t.

        q, k, v = in_proj x                                   split into heads of E / num_heads
        score[t, s] = q_t . k_s / sqrt(E / num_heads) + bias[head, t - s]
        y_t = out_proj sum over s of softmax_s(score[t, s]) v_s

    Memory of a stream is constant: `window` keys and values, overwritten in turn.

    Shapes: x [B, T, E] float; state RingState(keys [B, window, E], values [B, window, E],
        step [B]); y [B, T, E].
    Args:
        embed_dim: E, a multiple of num_heads.
        num_heads: how many attend side by side.
        window: how many steps are seen, the present one among them.
    Raises:
        ConfigError: embed_dim is not a multiple of num_heads, or window is below 1.
        ShapeError: x has not E features.
    Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 1; the window: Child et al. 2019,
        arXiv:1904.10509; one learned bias a lag and head: Raffel et al. 2020, arXiv:1910.10683,
        §2.1, here without buckets because lags end at the window.
    Example:
        >>> y, state = CausalSelfAttention(6, 2, window=4)(torch.zeros(2, 9, 6))
        >>> y.shape, state.keys.shape, state.step
        (torch.Size([2, 9, 6]), torch.Size([2, 4, 6]), tensor([9, 9]))
    """

    def __init__(self, embed_dim: int, num_heads: int, *, window: int) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise ConfigError(
                "embed_dim a multiple of num_heads", f"{embed_dim = }, {num_heads = }"
            )
        if window < 1:
            raise ConfigError("a window of at least 1 step", str(window))
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.window = window
        self.in_proj_weight = nn.Parameter(torch.empty(3 * embed_dim, embed_dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * embed_dim))
        self.out_proj_weight = nn.Parameter(torch.empty(embed_dim, embed_dim))
        self.out_proj_bias = nn.Parameter(torch.zeros(embed_dim))
        self.lag_bias = nn.Parameter(torch.zeros(num_heads, window))
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.xavier_uniform_(self.out_proj_weight)

    def initial_state(self, batch_size: int) -> RingState:
        """Return an empty ring."""
        keys = self.zeros(batch_size, self.window, self.embed_dim)
        step = torch.zeros(batch_size, dtype=torch.int64, device=keys.device)
        return RingState(keys, torch.zeros_like(keys), step)

    def scan(
        self, x: Float[Tensor, "B T E"], state: RingState
    ) -> tuple[Float[Tensor, "B T E"], RingState]:
        """Attend in pieces of at most `window` steps, so that memory grows as T and not as T²."""
        check_shape("x", x, "B T E", E=self.embed_dim)
        query, key, value = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        outputs = []
        for q, k, v in zip(
            *(t.split(self.window, dim=1) for t in (query, key, value)), strict=True
        ):
            y, state = self._piece(q, k, v, state)
            outputs.append(y)
        return F.linear(torch.cat(outputs, 1), self.out_proj_weight, self.out_proj_bias), state

    def step_(
        self, x_t: Float[Tensor, "B E"], state: RingState
    ) -> tuple[Float[Tensor, "B E"], RingState]:
        """Write one key and one value into the ring, and attend to the ring as it lies."""
        q, k, v = F.linear(x_t, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        keys, values, step = state
        row = torch.arange(len(step), device=step.device)
        keys[row, step % self.window] = k.to(keys.dtype)
        values[row, step % self.window] = v.to(values.dtype)
        slot = torch.arange(self.window, device=step.device)
        lag = (step[:, None] - slot) % self.window  # [B, W]
        y = self._attend(
            q[:, None], keys.to(q.dtype), values.to(q.dtype), lag[:, None], lag <= step[:, None]
        )
        step += 1
        return F.linear(y[:, 0], self.out_proj_weight, self.out_proj_bias), state

    def _piece(self, q: Tensor, k: Tensor, v: Tensor, state: RingState) -> tuple[Tensor, RingState]:
        """Attend for n <= W steps, behind the ring in the order of time."""
        num_new, device = q.shape[1], q.device
        slots = torch.arange(self.window, device=device)
        step = state.step[:, None]
        in_order = (step + slots) % self.window  # [B, W], the oldest first
        keys = torch.cat([_gather(state.keys, in_order).to(k.dtype), k], dim=1)
        values = torch.cat([_gather(state.values, in_order).to(v.dtype), v], dim=1)
        columns = torch.arange(self.window + num_new, device=device)
        lag = self.window + torch.arange(num_new, device=device)[:, None] - columns  # [n, W + n]
        seen = columns >= self.window - step  # [B, W + n], false before the first step
        y = self._attend(q, keys, values, lag[None], seen)
        # Slot s now holds the latest step p with p = s mod W.
        back = (step + num_new - 1 - slots) % self.window
        latest = self.window + num_new - 1 - back
        dtype = state.keys.dtype
        ring = (_gather(keys.to(dtype), latest), _gather(values.to(dtype), latest))
        return y, RingState(*ring, state.step + num_new)

    def _attend(
        self,
        q: Float[Tensor, "B n E"],
        keys: Float[Tensor, "B S E"],
        values: Float[Tensor, "B S E"],
        lag: Int64[Tensor, "_ n S"],
        seen: Bool[Tensor, "B S"],
    ) -> Float[Tensor, "B n E"]:
        allowed = (lag >= 0) & (lag < self.window) & seen[:, None]  # [B, n, S]
        # A NaN that may not be seen must not be seen: its weight is 0, but 0 * NaN is NaN.
        broken = ~(keys + values).isfinite().all(dim=-1)  # [B, S]
        keys, values = (t.masked_fill(broken[..., None], 0) for t in (keys, values))
        bias = self.lag_bias[:, lag.clamp(0, self.window - 1)].transpose(0, 1)  # [_, heads, n, S]
        scores = _heads(q, self.num_heads) @ _heads(keys, self.num_heads).mT
        scores = scores * (self.embed_dim // self.num_heads) ** -0.5 + bias
        weights = scores.masked_fill(~allowed[:, None], -torch.inf).softmax(dim=-1)
        y: Tensor = (weights @ _heads(values, self.num_heads)).transpose(1, 2).flatten(2)
        return y.masked_fill((allowed & broken[:, None]).any(dim=-1, keepdim=True), torch.nan)


def _gather(ring: Tensor, slots: Tensor) -> Tensor:
    """Take ``slots [B, S]`` of ``ring [B, W, E]``."""
    return ring.gather(1, slots[..., None].expand(-1, -1, ring.shape[-1]))


def _heads(tensor: Tensor, num_heads: int) -> Tensor:
    """View ``[B, S, E]`` as ``[B, num_heads, S, E / num_heads]``."""
    return tensor.view(*tensor.shape[:2], num_heads, -1).transpose(1, 2)
