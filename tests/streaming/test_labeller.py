"""Labels of a stream are those of the whole video, however many streams there are."""

import pytest
import torch
from torch import nn

from tests.streaming.networks import CLASSES, OverClips, prepare, recurrent
from unrolled.cells import ConvLSTM
from unrolled.encoders import ResNet18
from unrolled.errors import ConfigError
from unrolled.layers import CausalConv1d, Linear, PerFrame, Serial
from unrolled.models import LRCN
from unrolled.streaming import Labeller, Stream


def frames(batch_size: int = 1, num_frames: int = 11) -> torch.Tensor:
    return torch.randint(0, 256, (batch_size, num_frames, 3, 13, 17), dtype=torch.uint8)


def test_frame_by_frame_gives_what_the_whole_video_gives() -> None:
    network, x = recurrent(), frames()
    expected = network(prepare(x))[0].softmax(-1)
    labeller = Labeller(network, prepare)
    assert not labeller.slides
    for t in range(11):
        p = labeller.push(x[:, t])
        assert torch.allclose(p, expected[:, t], atol=1e-5)
    labeller.reset()
    assert torch.allclose(labeller.push(x[:, 0]), expected[:, 0], atol=1e-5), "a new video"


def test_streams_at_once_are_bit_identical_to_their_solo_runs() -> None:
    for network in (recurrent(), conv_lstm()):
        x = frames(3)
        solo = []
        for row in range(3):
            labeller = Labeller(network, prepare)
            solo.append([labeller.push(x[row : row + 1, t]).clone() for t in range(11)])
        together = [Labeller(network, prepare) for _ in range(3)]
        for t in range(11):
            for row, labeller in enumerate(together):
                assert torch.equal(labeller.push(x[row : row + 1, t]), solo[row][t])


def lrcn() -> LRCN:
    return LRCN(3, network=ResNet18(width=4), hidden_size=7)


def conv_lstm() -> Serial:
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3))
    return Serial(ConvLSTM(3, 5), PerFrame(head)).eval()


@pytest.mark.parametrize("make", [recurrent, conv_lstm, OverClips, lrcn])
def test_videos_side_by_side_are_their_solo_runs_to_the_bit(make) -> None:
    torch.manual_seed(0)
    network, x = make().eval(), frames(5)
    labeller = Labeller(network, prepare, clip_frames=4)
    alone = [Labeller(network, prepare, clip_frames=4) for _ in range(5)]
    for t in range(11):
        together = labeller.push(x[:, t])
        for row, solo in enumerate(alone):
            assert torch.equal(together[row : row + 1], solo.push(x[row : row + 1, t]))


def test_a_network_over_clips_slides_a_window_that_the_first_frame_fills() -> None:
    x = frames(2)
    labeller = Labeller(OverClips().eval(), prepare, clip_frames=4)
    assert labeller.slides
    for t in range(11):
        window = torch.stack([x[:, max(0, s)] for s in range(t - 3, t + 1)], 1)
        expected = torch.cat([OverClips()(row).softmax(-1) for row in prepare(window).split(1)])
        assert torch.equal(labeller.push(x[:, t]), expected)
    labeller.reset()
    first = Labeller(labeller.network, prepare, clip_frames=4).push(x[:, 3])
    assert torch.equal(labeller.push(x[:, 3]), first), "a new video"


def test_with_a_stride_the_answer_holds_until_the_next_block_is_whole() -> None:
    network = Serial(
        PerFrame(nn.Flatten()), CausalConv1d(3 * 13 * 17, 5, kernel_size=2, stride=2), Linear(5, 3)
    ).eval()
    x = frames(1, 6)
    expected = network(prepare(x))[0].softmax(-1)
    labeller = Labeller(network, prepare)
    answers = [labeller.push(x[:, t]) for t in range(6)]
    assert answers[0] is None, "no block is whole yet"
    assert torch.allclose(answers[1], expected[:, 0], atol=1e-5)
    assert torch.equal(answers[2], answers[1])
    assert torch.allclose(answers[5], expected[:, 2], atol=1e-5)


def test_bad_networks_are_refused() -> None:
    with pytest.raises(ConfigError, match="eval"):
        Labeller(recurrent().train(), prepare)
    with pytest.raises(ConfigError, match="clip_frames"):
        Labeller(OverClips().eval(), prepare)
    assert len(CLASSES) == 3
    assert Stream(recurrent()).push(prepare(frames()[:, 0])).shape == (1, 3)
