"""Each check of networks catches its broken twin and lets honest networks pass."""

import pytest
import torch
from torch import Tensor, nn

from unrolled.encoders import PictureNetwork, PlainCNN, over_pictures
from unrolled.errors import LawError
from unrolled.testing.networks import NETWORK_CHECKS, check_network


class Honest(PictureNetwork):
    """Classifies by the mean of one convolution; those below differ from it in one place."""

    head_parts = ("fc",)

    def __init__(self) -> None:
        super().__init__()
        self.class_count, self.feature_size, self.input_channels = 5, 7, 3
        self.conv = nn.Conv2d(3, 7, 3)
        self.fc = nn.Linear(7, 5)

    def maps(self, x: Tensor) -> Tensor:
        return torch.tanh(self.conv(x))

    def features(self, x: Tensor) -> Tensor:
        return over_pictures(lambda pictures: self.maps(pictures).mean((-2, -1)), x, self)

    def head(self, maps: Tensor) -> Tensor:
        return self.fc(maps.mean((-2, -1)))


class WrongSize(Honest):
    def __init__(self) -> None:
        super().__init__()
        self.class_count = 6


class MixesFrames(Honest):
    def maps(self, x: Tensor) -> Tensor:
        return super().maps(x - x.mean(0))


class MixesClips(Honest):
    """Takes the mean of the batch away from clips, but not from a picture alone."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x - 0 * x.mean(0))


class Counts(Honest):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def maps(self, x: Tensor) -> Tensor:
        self.calls += 1
        return super().maps(x)


class TakesAnyLayout(Honest):
    def features(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2) if x.shape[-3] != 3 else x
        return super().features(x)


class ForgetsToSaveItsScale(Honest):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.full((), 2.0), persistent=False)

    def head(self, maps: Tensor) -> Tensor:
        return self.scale * super().head(maps)


class HasDeadWeights(Honest):
    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(3, 3)


class Double(torch.autograd.Function):
    @staticmethod
    def forward(_ctx, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(_ctx, gradient: Tensor) -> Tensor:
        return 3 * gradient


class WrongBackward(Honest):
    def head(self, maps: Tensor) -> Tensor:
        return Double.apply(super().head(maps))


# broken network -> the check that must be the first to catch it, and a word of its message
TWINS = {
    WrongSize: ("sizes", "expected [2, 3, 6], got [2, 3, 5]"),
    MixesFrames: ("frames", "logits of one picture"),
    MixesClips: ("rows", "row 0 beside NaN"),
    Counts: ("purity", "calls"),
    TakesAnyLayout: ("layout", "expected a ShapeError, got an answer"),
    ForgetsToSaveItsScale: ("state_dict", "the same bits"),
    HasDeadWeights: ("training", "gradient of unused.weight: expected finite numbers, got none"),
    WrongBackward: ("gradients", "slope"),
}


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.__name__)
def test_a_broken_network_is_caught_by_its_own_check(twin: type[PictureNetwork]) -> None:
    name, words = TWINS[twin]
    with pytest.raises(LawError) as caught:
        check_network(twin(), torch.randn(2, 3, 3, 7, 11))
    assert caught.value.check == name, str(caught.value)
    assert words in str(caught.value)


def test_every_check_has_a_broken_twin() -> None:
    assert {name for name, _ in TWINS.values()} == set(NETWORK_CHECKS)


def test_honest_networks_pass_and_are_left_as_they_were() -> None:
    check_network(Honest(), torch.randn(2, 3, 3, 7, 11))
    network = PlainCNN(class_count=5, width=2).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    check_network(network, torch.randn(2, 3, 3, 16, 17))
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_an_error_on_the_way_is_a_fault_of_the_network() -> None:
    class Fails(Honest):
        def maps(self, x: Tensor) -> Tensor:
            raise RuntimeError(f"no maps of {len(x)}\nsee the manual")

    with pytest.raises(LawError, match=r"expected an answer, got RuntimeError: no maps of 6$"):
        check_network(Fails(), torch.randn(2, 3, 3, 7, 11))
