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
        """Attend block by block, so that work and memory grow as T and not as T²."""
        check_shape("x", x, "B T E", E=self.embed_dim)
        num_steps = x.shape[1]
        query, key, value = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        slots = torch.arange(self.window, device=x.device)
        step = state.step[:, None]
        in_order = (step + slots) % self.window  # [B, W], the oldest first
        keys = torch.cat([_gather(state.keys, in_order).to(key.dtype), key], dim=1)
        values = torch.cat([_gather(state.values, in_order).to(value.dtype), value], dim=1)
        columns = torch.arange(self.window + num_steps, device=x.device)
        y = self._attend(query, keys, values, columns >= self.window - step)
        # Slot s now holds the latest step p with p = s mod W.
        latest = (slots - step - num_steps) % self.window
        dtype = state.keys.dtype
        ring = [_gather(t[:, num_steps:], latest).to(dtype) for t in (keys, values)]
        y = F.linear(y, self.out_proj_weight, self.out_proj_bias)
        return y, RingState(ring[0], ring[1], state.step + num_steps)

    def step_(
        self, x_t: Float[Tensor, "B E"], state: RingState
    ) -> tuple[Float[Tensor, "B E"], RingState]:
        """Write one key and one value into the ring, and attend to the ring as it lies."""
        q, k, v = F.linear(x_t, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        keys, values, step = state
        row = torch.arange(len(step), device=step.device)
        keys[row, step % self.window] = k.to(keys.dtype)
        values[row, step % self.window] = v.to(values.dtype)
        slots = torch.arange(self.window, device=step.device)
        lag = (step[:, None] - slots) % self.window  # [B, W]
        seen = lag <= step[:, None]
        bias = self.lag_bias[:, lag].transpose(0, 1).masked_fill(~seen[:, None], -torch.inf)
        broken = _broken(keys, values) & seen
        keys, values = (
            self._heads(t.to(q.dtype).masked_fill(broken[..., None], 0)) for t in (keys, values)
        )
        y = self._weigh(self._heads(q[:, None]), keys, values, bias[:, :, None])
        y = y.flatten(1).masked_fill(broken.any(dim=1, keepdim=True), torch.nan)
        step += 1
        return F.linear(y, self.out_proj_weight, self.out_proj_bias), state

    def _attend(
        self,
        query: Float[Tensor, "B T E"],
        keys: Float[Tensor, "B S E"],
        values: Float[Tensor, "B S E"],
        seen: Bool[Tensor, "B S"],
    ) -> Float[Tensor, "B T E"]:
        """Attend from T steps to the W before them and to themselves, S = W + T."""
        num_steps = query.shape[1]
        # Blocks of half a window: longer ones compute more that is masked, shorter ones copy more.
        size = min(num_steps, (self.window + 1) // 2)
        num_blocks = -(-num_steps // size)
        behind = self.window if num_blocks == 1 else 2 * size  # keys before a block's first step
        pad = (behind - self.window, num_blocks * size - num_steps)
        # A NaN that may not be seen must not be seen: its weight is 0, but 0 * NaN is NaN.
        broken = _broken(keys, values) & seen
        keys, values = (
            self._heads(F.pad(t.masked_fill(broken[..., None], 0), (0, 0, *pad)))
            for t in (keys, values)
        )
        keys, values = (_windows(t, size, num_blocks) for t in (keys, values))
        query = self._heads(F.pad(query, (0, 0, 0, pad[1]))).unflatten(2, (num_blocks, size))
        unseen = torch.zeros_like(seen, dtype=query.dtype).masked_fill(~seen, -torch.inf)
        unseen = F.pad(unseen, pad).unfold(1, behind + size, size)  # [B, blocks, behind + size]
        bias = self._bias(size, behind)[:, None]
        y = self._weigh(query, keys, values, bias, unseen[:, None, :, None])
        y = y.flatten(2, 3)[:, :, :num_steps].transpose(1, 2).flatten(2)
        in_window = broken[:, 1:].unfold(1, self.window, 1).any(dim=-1)
        return y.masked_fill(in_window[..., None], torch.nan)

    def _weigh(self, query: Tensor, keys: Tensor, values: Tensor, *biases: Tensor) -> Tensor:
        """Return softmax(query . keys + biases) . values; a bias of -inf hides a key."""
        scores = (query * (self.embed_dim // self.num_heads) ** -0.5) @ keys.mT
        for bias in biases:
            scores += bias
        weighted: Tensor = scores.softmax(dim=-1) @ values
        return weighted

    def _bias(self, num_steps: int, behind: int) -> Tensor:
        """Lay `lag_bias` out as [heads, num_steps, behind + num_steps], -inf outside the window.

        Row i is row 0 moved on by i: so are the rows of one long row, read with one column less.
        """
        outside = (behind - self.window + 1, num_steps)
        row = F.pad(self.lag_bias.flip(-1), outside, value=-torch.inf)  # one column too long
        width = behind + num_steps
        rows: Tensor = row.repeat(1, num_steps)[:, : num_steps * width]
        return rows.view(-1, num_steps, width)

    def _heads(self, tensor: Float[Tensor, "B S E"]) -> Tensor:
        """View as ``[B, num_heads, S, E / num_heads]``."""
        heads: Tensor = tensor.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        return heads


def _broken(keys: Tensor, values: Tensor) -> Tensor:
    """Say where ``[B, S]`` a key or a value is not finite."""
    return ~(keys + values).isfinite().all(dim=-1)


def _windows(tensor: Tensor, size: int, num_blocks: int) -> Tensor:
    """Cut ``[B, heads, S, d]`` into blocks, each with the two before it (all, if there is one)."""
    if num_blocks == 1:
        return tensor[:, :, None]
    parts = tensor.unflatten(2, (-1, size))
    return torch.cat([parts[:, :, i : i + num_blocks] for i in range(3)], dim=3)


def _gather(ring: Tensor, slots: Tensor) -> Tensor:
    """Take ``slots [B, S]`` of ``ring [B, W, E]``."""
    return ring.gather(1, slots[..., None].expand(-1, -1, ring.shape[-1]))
