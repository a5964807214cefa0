"""Streaming networks: published sizes, shared weights, frozen parts, what they are made of."""

import pytest
import torch
from torch import nn

from unrolled import build
from unrolled.encoders import VGG16, R2Plus1D, ResNet18
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import Last
from unrolled.models import (
    GRURCN,
    LRCN,
    CausalR2Plus1D,
    CausalSmall,
    CausalX3D,
    ConvLSTMForecaster,
)
from unrolled.world.motion_classes import MotionWorld


@pytest.mark.parametrize(
    ("hidden_sizes", "parameters"),
    [((256,), 13_524_496), ((128, 128), 10_042_896), ((128, 64, 64), 7_585_296)],
)
def test_forecasters_have_the_papers_parameters(hidden_sizes, parameters: int) -> None:
    network = ConvLSTMForecaster(hidden_sizes=hidden_sizes)
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_a_forecaster_reads_all_of_the_clip_and_refuses_odd_sizes() -> None:
    network = ConvLSTMForecaster(hidden_sizes=(3, 2), kernel_size=3)
    x = torch.randn(1, 4, 1, 8, 12, requires_grad=True)
    network(x, frame_count=3).sum().backward()
    assert (x.grad.abs().sum((0, 2, 3, 4)) > 0).all()
    with pytest.raises(ShapeError, match="multiples of patch_size=4"):
        network(torch.zeros(1, 4, 1, 9, 12))


def test_causal_r2plus1d_takes_the_weights_of_r2plus1d() -> None:
    causal, whole = CausalR2Plus1D(5, width=4), R2Plus1D(class_count=5, width=4)
    shapes = {name: tensor.shape for name, tensor in whole.state_dict().items()}
    assert {name: tensor.shape for name, tensor in causal.state_dict().items()} == shapes
    causal.load_state_dict(whole.state_dict())


def test_causal_r2plus1d_is_the_strided_network_at_every_eighth_frame() -> None:
    causal = CausalR2Plus1D(5, width=3).eval().double()
    whole = R2Plus1D(class_count=5, width=3).eval().double()
    whole.load_state_dict(causal.state_dict())
    for part in whole.modules():  # look back only: zeros in the past, none in the future
        if isinstance(part, nn.Conv3d) and part.kernel_size[0] == 3:
            part.padding = (0, *part.padding[1:])
            part.register_forward_pre_hook(lambda _, x: nn.functional.pad(x[0], (0, 0, 0, 0, 2, 0)))
    x = torch.randn(1, 17, 3, 17, 16, dtype=torch.float64)
    maps = whole.stem(x.transpose(1, 2))
    for stage in (whole.layer1, whole.layer2, whole.layer3, whole.layer4):
        maps = stage(maps)
    expected = whole.fc(maps.mean((-2, -1)).mT)
    y, _ = causal(x)
    assert expected.shape[1] == 3
    assert (y[:, ::8] - expected).abs().max() <= 1e-10 * expected.abs().max()


def test_x3d_s_has_x3d_s_size() -> None:
    parameters = sum(p.numel() for p in CausalX3D().parameters())
    assert round(parameters / 1e6, 1) == 3.8  # the paper's Table 3


def test_a_frozen_network_gets_no_gradients_and_keeps_its_statistics() -> None:
    model = LRCN(5, network=ResNet18(width=2), hidden_size=7, frozen=True).train()
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    y, _ = model(torch.randn(2, 3, 3, 32, 32))
    Last()(y).sum().backward()
    frozen = {name for name, p in model.named_parameters() if p.grad is None}
    assert frozen == {name for name, _ in model.named_parameters() if ".network." in name}
    assert all(torch.equal(buffer, before[name]) for name, buffer in model.named_buffers())


def test_kept_features_give_the_same_answer() -> None:
    model = LRCN(5, network=ResNet18(width=2), hidden_size=7, frozen=True).eval()
    x = torch.randn(2, 3, 3, 32, 32)
    assert torch.equal(model.head(model.features(x))[0], model(x)[0])


def test_lrcn_learns_its_network_unless_frozen_and_says_what_it_wants() -> None:
    model = LRCN(5, network=ResNet18(width=2), hidden_size=7)
    model(torch.randn(2, 3, 3, 32, 32))[0].sum().backward()
    assert all(p.grad is not None for n, p in model.named_parameters() if "network.fc" not in n)
    with pytest.raises(ConfigError, match="the name of a picture network"):
        LRCN(5, network="deck_early_fusion")


@pytest.mark.parametrize("stacked", [False, True])
def test_gru_rcn_votes_with_five_depths(stacked: bool) -> None:
    network = VGG16(width=2, hidden_size=7)
    model = GRURCN(5, hidden_sizes=(2, 3, 2, 3, 5), stacked=stacked, network=network).eval()
    model(torch.randn(1, 3, 3, 32, 32))[0].sum().backward()
    assert len(model.units) == 5
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0 for p in model.classifiers.parameters()
    )
    with pytest.raises(ConfigError, match="five sizes"):
        GRURCN(5, hidden_sizes=(2, 3), network=network)


def test_causal_small_tells_left_from_right() -> None:
    torch.manual_seed(0)
    world = MotionWorld(
        seed=1, height=16, width=16, frames=6, classes=("left", "right"), bystanders=0
    )
    clips = [world.clip(number) for number in range(64)]
    x = torch.stack([torch.tensor(clip.frames) for clip in clips]).float() / 255 - 0.5
    labels = torch.tensor([clip.label for clip in clips])
    model = CausalSmall(2, widths=(12, 16), hidden_size=16, dropout=0.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(30):
        loss = nn.functional.cross_entropy(model(x)[0][:, -1], labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3 < 0.69  # log 2 is chance


@pytest.mark.parametrize("name", ["causal_small", "causal_x3d_s"])
def test_names_build_networks_of_any_number_of_classes(name: str) -> None:
    assert build(name, class_count=7).class_count == 7
