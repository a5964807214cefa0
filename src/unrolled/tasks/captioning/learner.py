"""What learns to describe: a captioner that takes pictures as they are kept, and remembers those
that a frozen encoder has looked at."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.models import PictureCaptioner
from unrolled.readers.tensor_cache import Kept, TensorCache
from unrolled.state import device_of
from unrolled.tasks.captioning.batches import NO_WORD, CaptionBatch
from unrolled.tasks.learning import Show
from unrolled.tasks.video.preprocessing import Preprocessing
from unrolled.training.modes import evaluating

_AT_A_TIME = 32  # pictures that a frozen encoder looks at together
_MOST_BYTES = 2 << 30  # of what it makes of them; beyond, it looks again each time


class CaptionLearner(nn.Module):
    """A captioner over uint8 pictures, or over what its frozen encoder made of them.

        features = annotations((pictures / 255 - mean) / deviation)
        y = decoder.given(decoder.remember(features))(words)

    Args:
        captioner: learns.
        preprocessing: scales the pictures.
    """

    def __init__(self, captioner: PictureCaptioner, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.captioner = captioner
        self.preprocessing = preprocessing

    def forward(self, x: CaptionBatch) -> Any:
        """Return what the decoder says at every word."""
        decoder = self.captioner.decoder
        y, _ = decoder.given(decoder.remember(self.annotations(x.pictures)))(x.words)
        return y

    def annotations(self, pictures: Tensor) -> Tensor:
        """Return ``[N, L, C]`` of uint8 pictures; annotations are given back as they are."""
        pictures = pictures.to(device_of(self))
        if pictures.is_floating_point():
            return pictures
        x = self.preprocessing.normalize(pictures)
        if x.ndim == 4:  # convolutions on CPUs learn half as fast again
            x = x.contiguous(memory_format=torch.channels_last)
        return self.captioner.annotations(x)

    def loss_of(self, y: Any, target: Tensor) -> Tensor:
        """Return the captioner's own loss of what it said."""
        valid = target != NO_WORD
        return self.captioner.decoder.objective(y, target.clamp(min=0), valid).loss


class Pictures:
    """Pictures for a learner: as they are kept, or, from a frozen encoder, what it made of them.

    Args:
        learner: looks at them.
        pixels: returns picture i, uint8 ``[C, H, W]`` or ``[T, C, H, W]``.
        numbers: of all that will be asked for.
        show: is told how far the encoder is.
        cache: keeps from run to run what a frozen encoder made of pictures.
        keys: by which the cache knows what is made of every picture.
    """

    def __init__(
        self,
        learner: CaptionLearner,
        pixels: Callable[[int], Tensor],
        numbers: Sequence[int],
        show: Show = lambda *_: None,
        *,
        cache: TensorCache | None = None,
        keys: Sequence[str] = (),
    ) -> None:
        self.learner, self.pixels, self.numbers, self.show = learner, pixels, sorted(numbers), show
        self.cache, self.keys = cache, keys
        self._kept: dict[int, Tensor] = {}
        self._too_many = False

    def batch(self, numbers: Sequence[int]) -> Tensor:
        """Return pictures ``[N, ...]``, or annotations of them where the encoder is frozen."""
        if self._too_many and self.cache is not None and self.learner.captioner.frozen:
            return self._annotations(numbers)
        if not self.learner.captioner.frozen or self._too_many:
            self._kept.clear()
            return torch.stack([self.pixels(number) for number in numbers])
        if not self._kept:
            self._look()
            return self.batch(numbers)
        return torch.stack([self._kept[number] for number in numbers])

    @torch.no_grad()
    def _look(self) -> None:
        """Let the encoder look at every picture once."""
        with evaluating(self.learner):
            for start in range(0, len(self.numbers), _AT_A_TIME):
                self.show(start / len(self.numbers), "features")
                chosen = self.numbers[start : start + _AT_A_TIME]
                found = self._annotations(chosen)
                self._too_many = found.nbytes // len(chosen) * len(self.numbers) > _MOST_BYTES
                if self._too_many:
                    return
                self._kept |= dict(zip(chosen, found.clone(), strict=True))

    @torch.no_grad()
    def _annotations(self, numbers: Sequence[int]) -> Tensor:
        """Return what the encoder makes of pictures; those of a cache are not looked at again."""
        if self.cache is not None:
            kept = [self.cache.find(self.keys[n]) for n in numbers]
            known = [one.tensor for one in kept if one is not None]
            if len(known) == len(numbers):
                return torch.stack(known)
        found = self.learner.annotations(torch.stack([self.pixels(n) for n in numbers])).cpu()
        if self.cache is not None:
            for number, made in zip(numbers, found, strict=True):
                self.cache.keep(self.keys[number], Kept(made))
        return found
