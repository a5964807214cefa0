"""A network over pictures and a captioner, joined."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call

from unrolled.encoders import PictureNetwork, over_pictures
from unrolled.encoders.backbone import without_head
from unrolled.encoders.moments import Moments
from unrolled.encoders.positions import Positions
from unrolled.errors import ConfigError, ShapeError
from unrolled.models.captioner import Captioner


class PictureCaptioner(nn.Module):
    """Describe pictures, or films: an encoder makes features, a decoder makes words of them.

        features = annotations(pictures)        picture: the last maps, place by place, row by row,
                                                with the row and column of each if wanted
                                                film: the mean of the maps of each frame, with
                                                where in it and when if wanted
        y = decoder.given(decoder.remember(features))(words)

    Shapes: pictures [N, C, H, W] float, or films [N, T, C, H, W] if the decoder takes films;
        words [B, T] int64, B = K·N; y as the decoder's.
    Args:
        encoder: a network over pictures; what it classifies with is left away.
        decoder: a captioner for features of ``annotation_size``.
        positions: tell every place of a picture its row and its column, as ``Positions`` does.
            Attention can then ask for the place beside another; a mean over all places is none the
            wiser. Of a film, tell every frame whereabouts in it things are, and when it is, as
            ``Moments`` does.
        frozen: leave the encoder as it is; see ``frozen``.
    Raises:
        ConfigError: the decoder is for features of another length.
    Source: positions: Liu et al. 2018, arXiv:1807.03247, §3, of the annotations alone.
    Example:
        >>> from unrolled.encoders import PlainCNN
        >>> from unrolled.models import ShowAttendTell
        >>> encoder = PlainCNN(width=2)
        >>> decoder = ShowAttendTell(11, encoder.feature_size, hidden_size=5)
        >>> model = PictureCaptioner(encoder, decoder)
        >>> y = model(torch.zeros(2, 3, 64, 48), torch.zeros(2, 7, dtype=torch.int64))
        >>> y.logits.shape, model.grid(64, 48)
        (torch.Size([2, 7, 11]), (4, 3))
    """

    def __init__(
        self,
        encoder: PictureNetwork,
        decoder: Captioner[Any, Any, Any],
        *,
        positions: bool = False,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        given = annotation_size(encoder, films=decoder.films, positions=positions)
        if given != decoder.feature_size:
            expected = f"a decoder for features of {given}, as the encoder gives"
            raise ConfigError(expected, str(decoder.feature_size), "set its feature_size")
        self.encoder = without_head(encoder)
        placing = Moments() if decoder.films else Positions()
        self.positions = placing if positions else None
        self.decoder = decoder
        self.frozen = frozen

    @property
    def frozen(self) -> bool:
        """Whether the encoder stays as it is: no gradients, no new statistics, no graph.

        Set it at any time; to fine-tune from a chosen step on is to set it to False at that step.
        """
        return self._frozen

    @frozen.setter
    def frozen(self, frozen: bool) -> None:
        self._frozen = frozen
        self.encoder.requires_grad_(not frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> "PictureCaptioner":
        """Leave a frozen encoder in eval(): its statistics are as frozen as its weights."""
        super().train(mode)
        self.encoder.train(mode and not self.frozen)
        return self

    def annotations(self, pictures: Tensor) -> Float[Tensor, "N L C"]:
        """Return features ``[N, L, C]``: of L = H'·W' places, or of L = T frames of a film."""
        expected = 5 if self.decoder.films else 4
        if pictures.ndim != expected:
            kind = "films [N, T, C, H, W]" if self.decoder.films else "pictures [N, C, H, W]"
            raise ShapeError(kind, str(list(pictures.shape)))
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            maps = over_pictures(self._maps, pictures, self.encoder)
            if self.decoder.films:
                return maps.mean((-2, -1)) if self.positions is None else self.positions(maps)
            placed: Tensor = maps if self.positions is None else self.positions(maps)
            return placed.flatten(2).transpose(1, 2)

    def _maps(self, pictures: Tensor) -> Tensor:
        # Channels last is how convolutions on a CPU are fastest: 1.5 times, forth and back.
        return self.encoder.maps(pictures.contiguous(memory_format=torch.channels_last))

    def grid(self, height: int, width: int) -> tuple[int, int] | None:
        """Return H' and W', the places of a picture of so many pixels; None for films.

        Annotation l is that of place (l // W', l % W').
        """
        if self.decoder.films:
            return None
        tensors = dict(self.encoder.named_parameters()) | dict(self.encoder.named_buffers())
        nothing = {
            f"encoder.{name}": torch.empty_like(t, device="meta") for name, t in tensors.items()
        }
        picture = torch.empty(1, self.encoder.input_channels, height, width, device="meta")
        maps = functional_call(_Maps(self.encoder), nothing, (picture,))
        return maps.shape[-2], maps.shape[-1]

    def forward(self, pictures: Tensor, words: Int[Tensor, "B T"]) -> Any:
        """Return what the decoder says at every word."""
        context = self.decoder.remember(self.annotations(pictures))
        y, _ = self.decoder.given(context)(words)
        return y


def annotation_size(encoder: PictureNetwork, *, films: bool, positions: bool) -> int:
    """Return how long the annotations are that a ``PictureCaptioner`` makes."""
    if not positions:
        return encoder.feature_size
    return (Moments if films else Positions).size(encoder.feature_size)


class _Maps(nn.Module):
    """An encoder's maps as a call, which is what torch puts other tensors under."""

    def __init__(self, encoder: PictureNetwork) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: Tensor) -> Tensor:
        return self.encoder.maps(x)
