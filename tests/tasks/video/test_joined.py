"""Training on joined clips, and the figures of a long stream."""

import json
from dataclasses import replace

import pytest
import torch

from unrolled.errors import ConfigError, ReaderError
from unrolled.layers import Linear, PerFrame, Serial
from unrolled.readers.joined_clips import hold_last
from unrolled.recurrence import Recurrence
from unrolled.tasks.video.clips import Clips
from unrolled.tasks.video.data import Sample, VideoData
from unrolled.tasks.video.joined import BACKGROUND, JoinedBatches, read_background
from unrolled.tasks.video.joined_evaluation import evaluate_joined, evaluate_live
from unrolled.tasks.video.model import VideoModel, prepare
from unrolled.tasks.video.networks import describe
from unrolled.tasks.video.options import VideoOptions, VideoTrainingOptions
from unrolled.tasks.video.preprocessing import Preprocessing

FRAMES, SIZE = 6, 4
CLASSES = ("red", "green")
OPTIONS = VideoOptions(
    clip_frames=FRAMES, height=SIZE, width=SIZE, crop=False, background="still", test_clips=1
)


def read(number: int) -> torch.Tensor:
    """Return a clip that brightens, in the colour of its class."""
    frames = torch.zeros(FRAMES, 3, SIZE, SIZE, dtype=torch.uint8)
    frames[:, number % 2] = (40 * torch.arange(FRAMES) + 10).to(torch.uint8)[:, None, None]
    return frames


DATA = VideoData(
    "colours",
    CLASSES,
    tuple(Sample(f"clip {n}", n % 2, str(n), str(n)) for n in range(20)),
    read,
    5.0,
)
PREPROCESSING = Preprocessing(SIZE, SIZE, 5.0, mean=(0.0,) * 3, deviation=(1.0,) * 3)
CLIPS = Clips(DATA, PREPROCESSING, FRAMES)


def batches(seed: int = 0) -> JoinedBatches:
    return JoinedBatches(
        CLIPS, range(20), OPTIONS, idle=hold_last, background=2, batch_size=3, window=4, seed=seed
    )


def test_every_frame_has_the_label_of_what_it_shows() -> None:
    ours = batches()
    for chunk in ours[:10]:
        assert chunk.x.shape == (3, 4, 3, SIZE, SIZE)
        assert chunk.target.shape == (3, 4)
        red = chunk.x[:, :, 0, 0, 0] > 0
        clips = chunk.target != 2
        assert torch.equal(chunk.target[clips] == 0, red[clips])
    rows = torch.cat([chunk.x[:, :, :2, 0, 0].sum(-1) for chunk in ours[:10]], 1)
    labels = torch.cat([chunk.target for chunk in ours[:10]], 1)
    for row, label in zip(rows, labels, strict=True):
        for t in range(1, 40):
            if label[t] == 2:
                assert row[t] == row[t - 1], "idle: the last frame stands"
            elif label[t - 1] == label[t]:
                assert row[t] != row[t - 1]


def test_rows_begin_anew_every_ten_windows_at_a_clip() -> None:
    ours = batches()
    assert len(ours) > 10
    chunks = ours[:]
    assert [chunk.fresh for chunk in chunks] == [n % 10 == 0 for n in range(len(ours))]
    for chunk in chunks:
        if chunk.fresh:
            assert (chunk.target[:, 0] != 2).all()
            assert torch.allclose(chunk.x[:, 0].amax((1, 2, 3)), torch.tensor(10 / 255))


def test_any_window_can_be_had_again_and_epochs_differ() -> None:
    one, other = batches(), batches()
    last = one[:][-1]
    assert torch.equal(other[len(other) - 1].x, last.x), "as after a resume"
    assert torch.equal(one[0].x, other[0].x)
    assert not torch.equal(batches(1)[0].target, one[0].target) or not torch.equal(
        batches(1)[3].target, one[3].target
    )
    first = torch.cat([chunk.target for chunk in one[:6]])
    one.begin_epoch(1)
    assert not torch.equal(torch.cat([chunk.target for chunk in one[:6]]), first)
    with pytest.raises(IndexError):
        one[len(one)]


def test_training_learns_the_background_too() -> None:
    training = VideoTrainingOptions(
        max_steps=150, epochs=100, batch_size=5, window=6, learning_rate=2e-2
    )
    learning = prepare(DATA, "causal_small", SMALL, reading=OPTIONS, training=training)
    assert learning.model.class_names == (*CLASSES, BACKGROUND)
    assert learning.training.run()
    model = learning.model
    score = evaluate_joined(model, learning.clips, range(20), idle=hold_last, minutes=2)
    assert score.scores.frame_accuracy > 0.7
    assert score.idle


SMALL = {"widths": [8], "hidden_size": 16, "dropout": 0.0}


def test_a_network_over_clips_cannot_learn_from_joined_ones() -> None:
    with pytest.raises(ConfigError, match="a network that streams"):
        prepare(
            DATA, "late_fusion_pooling", {"width": 2}, reading=replace(OPTIONS, height=16, width=16)
        )


class Colour(Recurrence):
    """Logits of red and green by colour, and of background where nothing changes."""

    def initial_state(self, batch_size: int) -> torch.Tensor:
        return torch.full((batch_size, 3), -1.0)

    def step(self, x_t: torch.Tensor, state: torch.Tensor):
        colour = x_t.mean((2, 3))
        still = (colour == state).all(1, keepdim=True).float()
        moving = (colour[:, :2] > 0) * (1 - still)
        return 9 * torch.cat([moving, still], 1), colour


def perfect(class_names=(*CLASSES, BACKGROUND)) -> VideoModel:
    network = Colour().eval() if len(class_names) == 3 else _two().eval()
    parts = {"train": [], "valid": [], "test": [str(n) for n in range(20)]}
    return VideoModel(network, class_names, PREPROCESSING, describe(network, {}), OPTIONS, parts)


def _two() -> Serial:
    linear = Linear(3, 2, bias=False)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[9.0, -9, 0], [-9, 9, 0]]))
    return Serial(PerFrame(Mean()), linear)


class Mean(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


def test_a_perfect_model_has_perfect_figures() -> None:
    score = evaluate_live(perfect(), DATA, minutes=3)
    figures = score.figures()
    assert figures["minutes"] == pytest.approx(3)
    assert figures["frame_accuracy"] > 0.98, "but for clips that begin as the last frame"
    assert figures["event_f1"] == pytest.approx(1.0, abs=0.05)
    assert figures["false_alarms_per_hour"] == 0
    assert figures["seconds_to_decide"] == pytest.approx(2 / 5), "held for 0.3 s: the third frame"
    assert figures["clip_top1"] == figures["stream_top1"] == 1
    assert figures["points_lost"] == 0
    assert json.dumps(figures)
    assert "0.0 points lost" in score.summary()


def test_without_a_background_clips_follow_each_other() -> None:
    score = evaluate_live(perfect(CLASSES), DATA, minutes=1)
    assert not score.idle
    assert score.scores.frame_accuracy == 1
    assert score.clips == 300 // FRAMES
    with pytest.raises(ConfigError, match="background"):
        evaluate_live(perfect(CLASSES), DATA, background="still")


def test_bad_requests_are_named(tmp_path) -> None:
    with pytest.raises(ConfigError, match="minutes"):
        evaluate_live(perfect(), DATA, minutes=0)
    with pytest.raises(ReaderError, match="no video in it"):
        read_background(str(tmp_path), CLIPS, range(20))
    with pytest.raises(ReaderError, match="nothing there"):
        read_background(str(tmp_path / "no"), CLIPS, range(20))
    with pytest.raises(ReaderError, match="stretches that have labels"):
        read_background("gaps", CLIPS, range(20))
    with pytest.raises(ReaderError, match="clips to join"):
        evaluate_joined(perfect(), CLIPS, [], idle=hold_last)
