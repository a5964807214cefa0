"""Experiments on motion: they learn what can be learnt, and nothing else."""

import torch

from unrolled.encoders import DeckEarlyFusion, SingleFrame
from unrolled.models import CausalSmall
from unrolled.tasks.motion import LabelledClips, accuracy, diagnose, learn, scores
from unrolled.world import MotionWorld, TransitionWorld


def test_a_network_learns_which_colour_comes_first() -> None:
    world = TransitionWorld(height=16, width=16, frames=4, shown_frames=1, times=(2, 2))
    clips, unseen = LabelledClips.of(world, 300), LabelledClips.of(world, 100, start=5000)
    torch.manual_seed(0)
    network = DeckEarlyFusion(class_count=2, clip_frames=4)
    learn(network, clips, 2, num_steps=60, learning_rate=1e-2)
    assert accuracy(network, unseen, 2) > 0.9
    found = diagnose(network, unseen, world.classes)
    assert found.accuracy("in order") == accuracy(network, unseen, 2)
    assert found.accuracy("reversed") < 0.1
    assert found.accuracy("single frame") is None, "it takes clips of 4 frames"


def test_what_averages_single_frames_loses_exactly_nothing_when_they_are_shuffled() -> None:
    world = MotionWorld(height=16, width=16, frames=6)
    clips = LabelledClips.of(world, 40)
    torch.manual_seed(0)
    network = SingleFrame(class_count=8, width=2).eval()
    found = diagnose(network, clips, world.classes)
    assert found.right["shuffled"] == found.right["reversed"] == found.right["in order"]


def test_the_scores_of_a_stream_are_the_mean_over_its_frames() -> None:
    torch.manual_seed(0)
    network = CausalSmall(3, widths=(4, 5), hidden_size=7).eval()
    clips = LabelledClips.of(MotionWorld(height=16, width=16, frames=4), 2).seen(slice(None))
    expected = network(clips)[0].double().softmax(-1).mean(1).log()
    assert (scores(network, clips, 3) - expected).abs().max() <= 1e-6
