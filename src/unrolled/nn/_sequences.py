"""What torch's layers take and return, as rows of all steps and back."""

from typing import NamedTuple

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from unrolled.kernels.ragged import Rows


class Sequences(NamedTuple):
    """A batch of sequences: one step's active rows after the other's.

    Args:
        data: ``[rows.total, C]``.
        rows: which sequences are active when; the longest first.
        packed: what was given, if it was packed.
        batch_first: the axes of what was given are [B, T, C], not [T, B, C].
        batched: what was given has a batch axis.
    """

    data: Tensor
    rows: Rows
    packed: PackedSequence | None
    batch_first: bool
    batched: bool

    @classmethod
    def of(cls, given: Tensor | PackedSequence, batch_first: bool) -> "Sequences | None":
        """Return what a layer was called with, or None if that is no batch of sequences."""
        if isinstance(given, PackedSequence):
            counts = given.batch_sizes.tolist()
            grows = counts != sorted(counts, reverse=True)
            if not counts or counts[-1] <= 0 or grows or sum(counts) != len(given.data):
                return None
            return cls(given.data, Rows(tuple(counts)), given, batch_first, True)
        if given.ndim not in (2, 3) or not given.numel():
            return None
        x = given if given.ndim == 3 else given.unsqueeze(0 if batch_first else 1)
        if batch_first:
            x = x.transpose(0, 1)
        rows = Rows((x.shape[1],) * x.shape[0])
        return cls(x.flatten(0, 1), rows, None, batch_first, given.ndim == 3)

    def state(self, given: Tensor) -> Tensor:
        """Return a state ``[layers, B, D]`` (or ``[layers, D]``) in the order of the rows."""
        if self.packed is not None and self.packed.sorted_indices is not None:
            return given.index_select(1, self.packed.sorted_indices)
        return given if self.batched else given.unsqueeze(1)

    def like_given(self, data: Tensor) -> Tensor | PackedSequence:
        """Return ``data [rows.total, D]`` in the form of what was given."""
        if self.packed is not None:
            return PackedSequence(data, *self.packed[1:])
        y: Tensor = data.unflatten(0, (-1, self.rows.batch_size))
        if not self.batched:
            return y.squeeze(1)
        return y.transpose(0, 1) if self.batch_first else y

    def state_like_given(self, state: Tensor) -> Tensor:
        """Undo ``state``."""
        if self.packed is not None and self.packed.unsorted_indices is not None:
            return state.index_select(1, self.packed.unsorted_indices)
        return state if self.batched else state.squeeze(1)
