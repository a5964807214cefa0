"""Recurrent convolutional networks over several depths of a picture network."""

import copy
from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.cells import GRU, ConvGRU
from unrolled.encoders import VGG16
from unrolled.errors import ConfigError
from unrolled.layers import Dropout, Linear, Serial
from unrolled.recurrence import Recurrence, Supports

_POOLS = (9, 16, 23, 30)  # places of pool2 to pool5 among the layers of VGG-16


class GRURCNState(NamedTuple):
    """What every unit carries, from pool2 to fc7, and what the classifiers behind them do."""

    units: tuple[Any, ...]
    classifiers: tuple[Any, ...]


class GRURCN(Recurrence[GRURCNState]):
    """GRUs over the maps of VGG-16 at four depths, and over fc7; the mean of their votes.

        maps_1 ... maps_4 = pool2, pool3, pool4, pool5 of x_t            vector_5 = fc7 of x_t
        h_l = ConvGRU_l(maps_l)          l = 1 ... 4                     h_5 = GRU(vector_5)
        logits_t = mean over l of (W_l dropout(mean over places of h_l) + b_l)

    With ``stacked``, unit l also takes h_(l-1), pooled to its size. Shallow maps are fine in space
    and so see small motions; deep ones know what moves.

    Shapes: x [B, T, C, H, W] float, H and W at least 32; state GRURCNState(units, classifiers);
        y [B, T, class_count] logits.
    Args:
        class_count: classes.
        hidden_sizes: channels of the five units.
        stacked: let each unit see the one below.
        dropout: share that training drops before each classifier.
        network: the VGG-16 to look through; a new one if left out.
        frozen: leave the VGG-16 as it is; what it gives can then be computed once and kept.
    Raises:
        ConfigError: not five sizes of at least 1.
        ShapeError: x has not C channels, or frames are too small.
    Source: Ballas et al. 2016, arXiv:1511.06432, §3.1-3.2 and §5.1. Differs: every frame gets an
        answer, the mean of the five classifiers' logits; fc7's unit, without places, takes the mean
        of h_4 where stacked. The bidirectional one sees the future, and cannot stream.
    Example:
        >>> network = VGG16(width=2, hidden_size=7)
        >>> model = GRURCN(5, hidden_sizes=(2, 3, 2, 3, 5), network=network).eval()
        >>> y, _ = model(torch.zeros(2, 3, 3, 32, 32))
        >>> y.shape
        torch.Size([2, 3, 5])
    """

    def __init__(
        self,
        class_count: int,
        *,
        hidden_sizes: Sequence[int] = (64, 128, 256, 256, 512),
        stacked: bool = False,
        dropout: float = 0.7,
        network: VGG16 | None = None,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        if len(hidden_sizes) != 5 or min(class_count, *hidden_sizes) < 1:
            raise ConfigError("five sizes of at least 1", f"{class_count = }, {hidden_sizes = }")
        self.class_count = class_count
        self.stacked = stacked
        self.network = VGG16() if network is None else network
        self.network.classifier[-1] = nn.Identity()  # fc8, which nobody asks
        *deep, fc7 = self._input_sizes(hidden_sizes)
        units = [ConvGRU(c, d) for c, d in zip(deep, hidden_sizes, strict=False)]
        self.units = nn.ModuleList([*units, GRU(fc7, hidden_sizes[-1], reset="before")])
        self.classifiers = nn.ModuleList(_classifier(d, class_count, dropout) for d in hidden_sizes)
        self.frozen = frozen
        self.network.requires_grad_(not frozen)
        if not frozen:
            self.supports = Supports(training="the dropout of VGG-16 draws from torch's generator")
        self.train()

    def train(self, mode: bool = True) -> "GRURCN":
        """Leave a frozen network in eval()."""
        super().train(mode)
        self.network.train(mode and not self.frozen)
        return self

    @property
    def front(self) -> nn.Module:
        """What the features come from."""
        return self.network

    def features(self, x: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B T D"]:
        """Return all that the units see of every frame, side by side; ``head_for`` takes it."""
        found = [maps.flatten(1) for maps in self._look(x.flatten(0, 1))]
        features: Tensor = torch.cat(found, dim=1).unflatten(0, x.shape[:2])
        return features

    def head_for(self, frame: Sequence[int]) -> "_Units":
        """Return what comes behind the features of frames ``[C, H, W]``, parameters shared."""
        ghost = copy.deepcopy(self.network).to("meta").eval()
        maps = _look(ghost, torch.empty(1, *frame, device="meta"))
        return _Units(self, [tuple(m.shape[1:]) for m in maps])

    def _input_sizes(self, hidden_sizes: Sequence[int]) -> list[int]:
        """Return the channels that each unit takes."""
        convolutions = [layer for layer in self.network.features if isinstance(layer, nn.Conv2d)]
        sizes = [convolutions[place].out_channels for place in (3, 6, 9, 12)]
        fc7 = self.network.classifier[3]
        assert isinstance(fc7, nn.Linear)
        sizes.append(fc7.out_features)
        below = [0, *hidden_sizes[:-1]] if self.stacked else [0] * 5
        return [size + more for size, more in zip(sizes, below, strict=True)]

    def _look(self, x: Tensor) -> list[Tensor]:
        return _look(self.network, x)

    def state_like(self, x_t: Float[Tensor, "B C H W"]) -> GRURCNState:
        """Return what every unit begins with, for frames of this size."""
        with torch.no_grad():  # only to learn the sizes of the maps
            return self.state_for(self._look(x_t))

    def state_for(self, maps: Sequence[Tensor]) -> GRURCNState:
        """Return what every unit begins with, for such maps of a frame."""
        units, classifiers = _parts(self)
        states: list[Any] = []
        for unit, seen in zip(units[:-1], maps, strict=False):
            channels = cast(int, unit.input_size)
            states.append(unit.state_like(seen.new_zeros(len(seen), channels, *seen.shape[2:])))
        states.append(units[-1].initial_state(len(maps[-1])))
        vectors = [maps[-1].new_zeros(len(maps[-1]), cast(int, u.hidden_size)) for u in units]
        votes = [c.state_like(vector) for c, vector in zip(classifiers, vectors, strict=True)]
        return GRURCNState(tuple(states), tuple(votes))

    def scan(
        self, x: Float[Tensor, "B T C H W"], state: GRURCNState
    ) -> tuple[Float[Tensor, "B T V"], GRURCNState]:
        """Look at all frames of a chunk, then run every unit over what was found."""
        found = [maps.unflatten(0, x.shape[:2]) for maps in self._look(x.flatten(0, 1))]
        return self.over(found, state)

    def over(
        self, found: Sequence[Tensor], state: GRURCNState
    ) -> tuple[Float[Tensor, "B T V"], GRURCNState]:
        """Run every unit over its maps ``[B, T, ...]``, and take the mean of the votes."""
        below: Tensor | None = None
        votes, units_after, classifiers_after = [], [], []
        for unit, classifier, maps, before, before_vote in zip(
            *_parts(self), found, *state, strict=True
        ):
            taken = maps if below is None else torch.cat([maps, _fit(below, maps)], dim=2)
            h, after = unit(taken, before)
            vote, after_vote = classifier(_over_places(h), before_vote)
            below = h if self.stacked else None
            votes.append(vote)
            units_after.append(after)
            classifiers_after.append(after_vote)
        logits = torch.stack(votes).mean(0)
        return logits, GRURCNState(tuple(units_after), tuple(classifiers_after))


class _Units(Recurrence[GRURCNState]):
    """The units of a ``GRURCN`` and their classifiers, over what its ``features`` gives.

    Shapes: x [B, T, D] float; state that of the network; y [B, T, class_count] logits.
    Args:
        network: whose units these are.
        shapes: of the maps at every depth, of one frame.
    """

    def __init__(self, network: GRURCN, shapes: Sequence[tuple[int, ...]]) -> None:
        super().__init__()
        self.units, self.classifiers = network.units, network.classifiers
        self._network = (network,)  # in a tuple: what is frozen is no part of this
        self._shapes = shapes

    def _split(self, x: Tensor) -> list[Tensor]:
        parts = x.split([prod(shape) for shape in self._shapes], dim=-1)
        pairs = zip(parts, self._shapes, strict=True)
        return [part.unflatten(-1, shape) if len(shape) > 1 else part for part, shape in pairs]

    def state_like(self, x_t: Float[Tensor, "B D"]) -> GRURCNState:
        """Return what every unit begins with."""
        return self._network[0].state_for(self._split(x_t))

    def scan(
        self, x: Float[Tensor, "B T D"], state: GRURCNState
    ) -> tuple[Float[Tensor, "B T V"], GRURCNState]:
        """Run every unit over its part."""
        return self._network[0].over(self._split(x), state)


def _look(network: VGG16, x: Tensor) -> list[Tensor]:
    """Return pool2, pool3, pool4, pool5 and fc7 of frames ``[N, C, H, W]``."""
    found = []
    for place, layer in enumerate(network.features):
        x = layer(x)
        if place in _POOLS:
            found.append(x)
    return [*found, network.classifier(network.avgpool(x).flatten(1))]


def _parts(network: GRURCN) -> tuple[list[Recurrence[Any]], list[Recurrence[Any]]]:
    return list(network.units), list(network.classifiers)  # type: ignore[arg-type]


def _classifier(size: int, class_count: int, dropout: float) -> Serial:
    return Serial(*([Dropout(dropout)] if dropout else []), Linear(size, class_count))


def _over_places(h: Tensor) -> Tensor:
    """Return the mean of maps ``[B, T, D, H, W]`` over places; a vector is as it is."""
    return h.mean((-2, -1)) if h.ndim == 5 else h


def _fit(below: Tensor, maps: Tensor) -> Tensor:
    """Pool the maps of the unit below to the places that the next unit has."""
    if maps.ndim == 3:
        return _over_places(below)
    pooled = F.adaptive_max_pool2d(below.flatten(0, 1), maps.shape[-2:])
    fitted: Tensor = pooled.unflatten(0, below.shape[:2])
    return fitted
