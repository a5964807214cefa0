"""torch.nn.RNN, native on CPUs."""

from torch import nn

from unrolled.nn._native import Native


class RNN(Native, nn.RNN):
    """Not a Recurrence, but torch.nn.RNN itself, with a faster ``forward`` on CPUs.

        h' = tanh(W_ih x + b_ih + W_hh h + b_hh)        nonlinearity="tanh"
        h' = relu(W_ih x + b_ih + W_hh h + b_hh)        nonlinearity="relu"

    One import line is all that a model changes: ``from unrolled import nn`` for ``from torch
    import nn``; ``nn.LSTM`` says what runs natively and what does not.

    Shapes: x [T, B, C], [B, T, C] with ``batch_first``, [T, C], or a PackedSequence of these; y the
        same with D features a direction; h [layers, B, D], where ``layers`` counts directions too.
    Args:
        args, kwargs: those of torch.nn.RNN: ``input_size``, ``hidden_size``, ``num_layers``,
            ``nonlinearity``, ``bias``, ``batch_first``, ``dropout``, ``bidirectional``,
            ``device``, ``dtype``.
    Source: torch.nn.RNN; Elman 1990. Differs: gradients of gradients are refused natively; the
        environment variable UNROLLED_ISA=none makes torch run everything.
    Example:
        >>> import torch
        >>> from unrolled import nn                      # was: from torch import nn
        >>> y, h = nn.RNN(3, 5, nonlinearity="relu")(torch.zeros(7, 2, 3))
        >>> y.shape, h.shape
        (torch.Size([7, 2, 5]), torch.Size([1, 2, 5]))
    """
