"""torch.nn.LSTM, native on CPUs."""

from torch import nn

from unrolled.nn._native import Native


class LSTM(Native, nn.LSTM):
    """Not a Recurrence, but torch.nn.LSTM itself, with a faster ``forward`` on CPUs.

        i, f, g, o = W_ih x + b_ih + W_hh h + b_hh
        c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h' = sigmoid(o) * tanh(c')                      or W_hr (sigmoid(o) * tanh(c'))

    One import line is all that a model changes: ``from unrolled import nn`` for ``from torch
    import nn``. Constructor, ``state_dict``, errors and results are torch's. In float32 on a CPU
    the steps run natively, and a packed batch costs its valid steps only; anywhere else (GPU,
    another dtype, autocast, torch.compile, torch.func, fewer than 4 steps) torch runs them.

    Shapes: x [T, B, C], [B, T, C] with ``batch_first``, [T, C], or a PackedSequence of these; y the
        same with P features a direction; h [layers, B, P], c [layers, B, D], where ``layers``
        counts directions too; P is ``proj_size``, or D where that is 0.
    Args:
        args, kwargs: those of torch.nn.LSTM: ``input_size``, ``hidden_size``, ``num_layers``,
            ``bias``, ``batch_first``, ``dropout``, ``bidirectional``, ``proj_size``, ``device``,
            ``dtype``.
    Source: torch.nn.LSTM; Hochreiter & Schmidhuber 1997, projection: Sak et al. 2014,
        arXiv:1402.1128. Differs: gradients of gradients are refused natively; the environment
        variable UNROLLED_ISA=none makes torch run everything.
    Example:
        >>> import torch
        >>> from unrolled import nn                      # was: from torch import nn
        >>> y, (h, c) = nn.LSTM(3, 5, num_layers=2, batch_first=True)(torch.zeros(2, 7, 3))
        >>> y.shape, c.shape
        (torch.Size([2, 7, 5]), torch.Size([2, 2, 5]))
    """
