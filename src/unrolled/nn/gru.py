"""torch.nn.GRU, native on CPUs."""

from torch import nn

from unrolled.nn._native import Native


class GRU(Native, nn.GRU):
    """Not a Recurrence, but torch.nn.GRU itself, with a faster ``forward`` on CPUs.

        r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
        z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
        n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
        h' = (1 - z) * n + z * h

    One import line is all that a model changes: ``from unrolled import nn`` for ``from torch
    import nn``; ``nn.LSTM`` says what runs natively and what does not.

    Shapes: x [T, B, C], [B, T, C] with ``batch_first``, [T, C], or a PackedSequence of these; y the
        same with D features a direction; h [layers, B, D], where ``layers`` counts directions too.
    Args:
        args, kwargs: those of torch.nn.GRU: ``input_size``, ``hidden_size``, ``num_layers``,
            ``bias``, ``batch_first``, ``dropout``, ``bidirectional``, ``device``, ``dtype``.
    Source: torch.nn.GRU; Cho et al. 2014, arXiv:1406.1078. Differs: gradients of gradients are
        refused natively; the environment variable UNROLLED_ISA=none makes torch run everything.
    Example:
        >>> import torch
        >>> from torch.nn.utils.rnn import pack_sequence
        >>> from unrolled import nn                      # was: from torch import nn
        >>> clips = pack_sequence([torch.zeros(7, 3), torch.zeros(4, 3)])
        >>> y, h = nn.GRU(3, 5, bidirectional=True)(clips)
        >>> y.data.shape, h.shape
        (torch.Size([11, 10]), torch.Size([2, 2, 5]))
    """
