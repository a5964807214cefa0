"""Any network over whole clips, applied to one clip after the other."""

from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.layers.per_frame import law_in_training
from unrolled.recurrence import Recurrence, Supports


class PerClip(Recurrence[tuple[()]]):
    """Apply a network over clips to every block of ``clip_frames`` frames, one by one.

        y_n = module(x[n * s : (n + 1) * s])        s = clip_frames, the stride

    What looks at a whole clip at once cannot go frame by frame, but it can go clip by clip: a
    recurrence without a state, of which ``step`` takes one clip.

    Shapes: x [B, T, ...], T a multiple of clip_frames; state (); y [B, T / clip_frames, ...].
    Args:
        module: any torch.nn.Module from [N, clip_frames, ...] to [N, ...], rows independent in
            eval().
        clip_frames: of a clip.
    Raises:
        ConfigError: the module is a ``Recurrence``, takes batch statistics in eval() too, or a
            clip has no frames.
    Source: none; ``PerFrame`` over blocks of frames. Parameters are named ``module.*``.
    Example:
        >>> import torch
        >>> y, _ = PerClip(nn.Flatten(), clip_frames=4)(torch.zeros(2, 12, 5))
        >>> y.shape
        torch.Size([2, 3, 20])
    """

    def __init__(self, module: nn.Module, clip_frames: int) -> None:
        super().__init__()
        if isinstance(module, Recurrence):
            name = type(module).__name__
            raise ConfigError("a network over whole clips", name, "use it as it is")
        if clip_frames < 1:
            raise ConfigError("clip_frames of at least 1", str(clip_frames))
        self.module = module
        self.stride = clip_frames
        self.supports = Supports(training=law_in_training(module))

    def scan(self, x: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        """Apply the network to all clips of a chunk at once."""
        clips = x.unflatten(1, (-1, self.stride)).flatten(0, 1)
        y: Tensor = self.module(clips)
        return y.unflatten(0, (x.shape[0], -1)), state

    def step(self, x_t: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        """Apply the network to one clip ``[B, clip_frames, ...]`` of every row."""
        return self.module(x_t), state
