"""Batch normalisation of frames."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.recurrence import Recurrence, Supports
from unrolled.shapes import check_shape


class BatchNorm(Recurrence[tuple[()]]):
    """Normalise every channel by its mean and variance over all frames of a chunk and all places.

        y = weight (x - mean) / sqrt(variance + eps) + bias

    In training the statistics are those of the chunk, which another cut changes; the law is
    promised in ``eval()``, where they are the running ones.

    Shapes: x [B, T, C, ...] float; state (); y as x.
    Args:
        num_features: C.
        eps: added to the variance.
        momentum: share by which a chunk moves the running statistics.
    Raises:
        ShapeError: x has not C channels.
    Source: Ioffe & Szegedy 2015, arXiv:1502.03167, Algorithms 1 and 2. Equals torch.nn.BatchNorm3d
        with time as its depth; names, shapes and initial values are torch's.
    Example:
        >>> y, _ = BatchNorm(3).eval()(torch.ones(2, 5, 3, 7, 11))
        >>> y.shape
        torch.Size([2, 5, 3, 7, 11])
    """

    supports = Supports(training="BatchNorm takes its statistics over a chunk in train()")
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, num_features: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def scan(
        self, x: Float[Tensor, "B T C *S"], state: tuple[()]
    ) -> tuple[Float[Tensor, "B T C *S"], tuple[()]]:
        """Normalise all frames of a chunk."""
        return self._normalise(x.flatten(0, 1)).unflatten(0, x.shape[:2]), state

    def step(
        self, x_t: Float[Tensor, "B C *S"], state: tuple[()]
    ) -> tuple[Float[Tensor, "B C *S"], tuple[()]]:
        """Normalise one frame of every row."""
        return self._normalise(x_t), state

    def _normalise(self, x: Tensor) -> Tensor:
        check_shape("x", x[:, :, None].flatten(2), "N C S", C=self.num_features)
        if self.training:
            self.num_batches_tracked.add_(1)
        return F.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            self.momentum,
            self.eps,
        )
