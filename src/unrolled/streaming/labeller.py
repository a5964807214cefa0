"""From frames to the probabilities of classes, one frame at a time."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.state import device_of
from unrolled.streaming.rows import call_rows
from unrolled.streaming.stream import Stream

Prepare = Callable[[UInt8[Tensor, "T C H W"]], Float[Tensor, "T C H W"]]


class Labeller:
    """A trained network and what its frames must look like: frames in, probabilities out.

        p_t = softmax(logits_t)

    A ``Recurrence`` takes a step; its answers are those that the whole video gives. A network over
    clips cannot: it sees the last ``clip_frames`` frames again at every frame (``slides`` says so),
    the first frame repeated before it.

    Shapes: frames [B, C, H, W] uint8, one of each of B videos side by side;
        probabilities [B, classes].
    Args:
        network: in eval(); a ``Recurrence`` from [B, T, C, H, W] to logits [B, T, classes], or a
            module from clips of that shape to logits [B, classes].
        prepare: frames [T, C, H, W] uint8 as they come, to floats as the network takes them.
        clip_frames: T of a network over clips.
    Raises:
        ConfigError: a network in train(), or one over clips without ``clip_frames``.
    Source: none.
    Example:
        >>> from unrolled.layers import Linear, PerFrame, Serial
        >>> network = Serial(PerFrame(nn.Flatten()), Linear(12, 2)).eval()
        >>> labeller = Labeller(network, lambda frames: frames / 255)
        >>> labeller.push(torch.zeros(1, 3, 2, 2, dtype=torch.uint8)).shape
        torch.Size([1, 2])
    """

    def __init__(
        self, network: nn.Module, prepare: Prepare, *, clip_frames: int | None = None
    ) -> None:
        if network.training:
            raise ConfigError("a network in eval()", "one in train()", "call network.eval() first")
        self.slides = not isinstance(network, Recurrence)
        if self.slides and (clip_frames is None or clip_frames < 1):
            raise ConfigError("clip_frames, which a network over clips sees at a time", "none")
        self.network, self.prepare, self.clip_frames = network, prepare, clip_frames
        self._stream: Stream[Any, Any, Any, Any] | None = None
        self._window: Tensor | None = None  # [B, clip_frames, C, H, W], if it slides
        self._block: list[Tensor] = []  # frames that wait for a whole stride
        self._last: Tensor | None = None
        self.reset()

    def reset(self) -> None:
        """Begin new videos with the next frame."""
        self._stream = Stream(self.network) if isinstance(self.network, Recurrence) else None
        self._window, self._block, self._last = None, [], None
        self._device = device_of(self.network)

    @torch.no_grad()
    def push(self, frames: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B classes"] | None:
        """Take the next frame of every video, and return the probabilities of their classes.

        A network with a stride answers at the end of every block; in between its last answer
        holds, and before the first block is whole there is none.
        """
        x_t = self.prepare(frames).to(self._device)
        logits = self._slide(x_t) if self._stream is None else self._step(x_t)
        if logits is not None:
            self._last = logits.float().softmax(-1).cpu()
        return self._last

    def _step(self, x_t: Tensor) -> Tensor | None:
        assert self._stream is not None
        stride = self._stream.module.stride
        if stride > 1:
            self._block.append(x_t)
            if len(self._block) < stride:
                return None
            x_t, self._block = torch.stack(self._block, 1), []
        logits: Tensor = self._stream.push(x_t)
        return logits

    def _slide(self, x_t: Tensor) -> Tensor:
        assert self.clip_frames is not None
        if self._window is None:
            self._window = torch.stack([x_t] * self.clip_frames, 1)
        else:
            self._window = torch.cat([self._window[:, 1:], x_t[:, None]], 1)
        return call_rows(self.network, self._window)
