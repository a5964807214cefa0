"""The base of the peephole LSTM and its variants: each says what it does without."""

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import TypeVar

from unrolled.cells._cell import _Cell
from unrolled.cells._initialisation import add_to_block, initialise
from unrolled.state import Tree

StateT = TypeVar("StateT", bound=Tree, default=Any)


class _Memory(NamedTuple):
    h: Tensor
    c: Tensor
    i: Tensor
    f: Tensor
    o: Tensor


class _Vanilla(_Cell[StateT]):
    """The cell that Greff et al. call vanilla; a variant changes what is declared here.

    Attributes:
        blocks: the blocks of rows of W_ih, W_hh and b, in this order. A gate without a block is 1.
        peepholes: the gates that see the memory cell.
        coupled: the forget gate is 1 - i.
        squash_input: put g through tanh.
        squash_output: put c through tanh on its way out.
    """

    blocks: ClassVar[str] = "ifgo"
    peepholes: ClassVar[str] = "ifo"
    coupled: ClassVar[bool] = False
    squash_input: ClassVar[bool] = True
    squash_output: ClassVar[bool] = True

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float = 1.0,
        recurrent_init: str = "uniform",
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.forget_bias = forget_bias
        self.recurrent_init = recurrent_init
        num_rows, num_peepholes = len(self.blocks) * hidden_size, len(self.peepholes)
        self.weight_ih = nn.Parameter(torch.empty(num_rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(num_rows, hidden_size))
        self.bias = nn.Parameter(torch.empty(num_rows))
        self.weight_peephole = (
            nn.Parameter(torch.empty(num_peepholes, hidden_size)) if num_peepholes else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every weight from U(-1/sqrt(D), 1/sqrt(D)), then open the forget gate."""
        initialise(self, self.weight_hh, self.hidden_size, self.recurrent_init)
        if self.coupled:  # f = 1 - sigmoid(a) = sigmoid(-a)
            add_to_block(self.bias, self.blocks.index("i"), self.hidden_size, -self.forget_bias)
        elif "f" in self.blocks:
            add_to_block(self.bias, self.blocks.index("f"), self.hidden_size, self.forget_bias)

    def project(self, x: Tensor) -> Tensor:
        """Return W_ih x + b."""
        return F.linear(x, self.weight_ih, self.bias)

    def _remember(self, product: Tensor, c: Tensor) -> _Memory:
        """Turn what x and h bring, ``product [B, R]``, and the cell ``c`` into their successors."""
        parts = product.to(c.dtype).chunk(len(self.blocks), dim=-1)
        a = dict(zip(self.blocks, parts, strict=True))
        i = self._gate("i", a, c)
        f = 1 - i if self.coupled else self._gate("f", a, c)
        g = torch.tanh(a["g"]) if self.squash_input else a["g"]
        c = f * c + i * g
        o = self._gate("o", a, c)
        h = o * (torch.tanh(c) if self.squash_output else c)
        return _Memory(h, c, i, f, o)

    def _gate(self, name: str, a: dict[str, Tensor], c: Tensor) -> Tensor:
        if name not in a:
            return torch.ones_like(c)
        if name not in self.peepholes or self.weight_peephole is None:
            return torch.sigmoid(a[name])
        weight = self.weight_peephole[self.peepholes.index(name)].to(c.dtype)
        return torch.sigmoid(a[name] + weight * c)
