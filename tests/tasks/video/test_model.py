"""The video task: what is averaged, any kind of network, resume, saved models, frozen features."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

import unrolled
from tests.tasks.video.clips import FRAMES, READING, SIZE, TRAINING, EveryFrame, WholeClip, samples
from unrolled.encoders import VGG16, PlainCNN
from unrolled.errors import ConfigError, ReaderError
from unrolled.layers import PerClip, PerFrame
from unrolled.models import GRURCN, LRCN, RecurrentClassifier
from unrolled.tasks.video.evaluation import VideoScore, evaluate_data
from unrolled.tasks.video.model import VideoModel, averaged, frame_losses, prepare
from unrolled.tasks.video.networks import as_recurrence, build_video_network
from unrolled.tasks.video.prediction import probabilities_of

CLIP = (FRAMES, 3, SIZE, SIZE)
SMALL = {"widths": [4, 5], "hidden_size": 7}


def test_probabilities_and_logits_are_averaged_by_hand() -> None:
    logits = torch.randn(3, 4, 5)
    mean = sum(logits[n, t].double().softmax(-1) for n in range(3) for t in range(4)) / 12
    assert torch.allclose(averaged(logits, "probabilities"), mean)
    mean = sum(logits[n, t].double() for n in range(3) for t in range(4)) / 12
    assert torch.allclose(averaged(logits, "logits"), mean.softmax(-1))


def test_the_loss_is_of_every_frame_or_of_the_last() -> None:
    logits, target = torch.randn(2, 3, 5), torch.tensor([1, 4])
    every = torch.stack([F.cross_entropy(logits[:, t], target) for t in range(3)]).mean()
    assert torch.allclose(frame_losses(logits, target), every)
    last = F.cross_entropy(logits[:, 2], target)
    assert torch.allclose(frame_losses(logits, target, last_only=True), last)


def test_every_kind_of_network_is_driven_as_what_it_is() -> None:
    assert isinstance(as_recurrence(WholeClip(), CLIP, 2), PerClip)
    assert isinstance(as_recurrence(EveryFrame(), CLIP, 2), PerFrame)
    network = build_video_network("gru", 2, {"hidden_size": 5}, (FRAMES, 3))
    assert isinstance(network, RecurrentClassifier)
    assert as_recurrence(network, (FRAMES, 3), 2) is network


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: as_recurrence(WholeClip(), CLIP, 3), "scores 3 classes"),
        (lambda: as_recurrence(WholeClip(clip_frames=7), CLIP, 2), "WholeClip: "),
        (lambda: build_video_network("causal_smal", 2, {}, CLIP), "did you mean causal_small"),
        (lambda: build_video_network("bigram", 2, {}, CLIP), "a network that labels clips"),
        (
            lambda: build_video_network("causal_small", 2, {"hidden_sise": 3}, CLIP),
            "did you mean hidden_size",
        ),
    ],
)
def test_a_network_that_does_not_fit_is_refused_in_words(make, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make()


@pytest.mark.parametrize("network", [WholeClip, EveryFrame, "causal_small"])
def test_it_learns_saves_and_loads(network, tmp_path: Path) -> None:
    name = network if isinstance(network, str) else network()
    model = unrolled.train(
        "video",
        data=samples(),
        model=name,
        options=SMALL if isinstance(network, str) else None,
        out=tmp_path / "run",
        reading=READING,
        training=TRAINING,
    )
    again = unrolled.load(tmp_path / "run", model=None if isinstance(network, str) else network())
    assert again.class_names == ("darker", "brighter")
    frames = samples().read(3)
    assert torch.equal(probabilities_of(again, frames), probabilities_of(model, frames))
    assert model.streams == (network is not WholeClip)
    score = evaluate_data(again, samples())
    assert (score.part, len(score.labels)) == ("held-out", len(model.parts["test"]))


def test_a_run_that_is_resumed_ends_bit_for_bit_as_one_that_was_not(tmp_path: Path) -> None:
    reading = dataclasses.replace(READING, crop=True, flip=True, time_jitter=0.3)
    options = {"model": "causal_small", "options": SMALL, "data": samples(), "reading": reading}
    whole = unrolled.train("video", **options, out=tmp_path / "a", training=TRAINING)
    three = dataclasses.replace(TRAINING, max_steps=None)
    unrolled.train("video", **options, out=tmp_path / "b", training=three)
    checkpoints = sorted((tmp_path / "b" / "checkpoints").iterdir())
    checkpoints[-1].unlink()  # as if it had been killed one step before its end
    resumed = unrolled.resume(tmp_path / "b", data=samples())
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[name]), name


READING_16 = dataclasses.replace(READING, height=16, width=16)


def lrcn(*, frozen: bool) -> LRCN:
    return LRCN(2, network=PlainCNN(width=2), hidden_size=5, dropout=0.0, frozen=frozen)


def gru_rcn(*, frozen: bool) -> GRURCN:
    network = VGG16(width=2, hidden_size=7)
    sizes = (2, 3, 2, 3, 5)
    return GRURCN(2, hidden_sizes=sizes, stacked=True, dropout=0.0, network=network, frozen=frozen)


@pytest.mark.parametrize("make", [lrcn, gru_rcn])
@pytest.mark.parametrize("cache", ["memory", "folder", "too small"])
def test_cached_features_train_as_the_whole_network_does(make, cache: str, tmp_path: Path) -> None:
    reading = dataclasses.replace(READING, height=32, width=32, weights=str(tmp_path / "old"))
    if cache == "folder":
        reading = dataclasses.replace(reading, cache=str(tmp_path / "kept"))
    if cache == "too small":
        reading = dataclasses.replace(reading, cache_gigabytes=0.0)
    training = dataclasses.replace(TRAINING, epochs=1)
    torch.manual_seed(0)
    first = prepare(
        samples(), make(frozen=False), reading=dataclasses.replace(reading, weights=None)
    )
    first.model.save(tmp_path / "old", {})
    models = []
    for freeze in (True, False):
        learning = prepare(
            samples(), make(frozen=True), training=training,
            reading=dataclasses.replace(reading, freeze=freeze),
        )  # fmt: skip
        learning.training.run()
        models.append(learning.model.network.state_dict())
    for name, tensor in models[0].items():
        assert torch.allclose(tensor, models[1][name], atol=1e-5), name
    old = first.model.network.state_dict()
    moved = {name for name, tensor in models[0].items() if not torch.equal(tensor, old[name])}
    assert moved
    assert not any("network" in name for name in moved)


def test_features_in_a_folder_are_computed_once_for_each_network(tmp_path: Path) -> None:
    computed: list[int] = []
    for weights, count in (("a", 20), ("a", 0), ("b", 20)):  # and one frame, to see what it gives
        torch.manual_seed(ord(weights))
        network = lrcn(frozen=True)
        if not (tmp_path / weights).exists():
            prepare(samples(), network, reading=READING_16).model.save(tmp_path / weights, {})
        hook = network.layers[0].register_forward_hook(lambda *_: computed.append(1))
        computed.clear()
        reading = dataclasses.replace(
            READING_16, cache=str(tmp_path / "kept"), weights=str(tmp_path / weights), freeze=True
        )
        prepare(samples(), network, reading=reading)
        hook.remove()
        assert len(computed) == count + 1


def test_weights_are_used_as_they_were_learnt(tmp_path: Path) -> None:
    mobile = prepare(samples(), "mobilenet_v2", {"edges": "same"}, reading=READING_16)
    mobile.model.save(tmp_path / "old", {})
    again = dataclasses.replace(READING_16, weights=str(tmp_path / "old"))
    x = torch.randn(1, 3, 3, 16, 16)
    with torch.no_grad():
        wanted = mobile.model.network.eval().features(x)
        inner = prepare(samples(), "lrcn", {"network": "mobilenet_v2"}, reading=again).model
        assert torch.equal(inner.network.eval().features(x), wanted)
        whole = prepare(samples(), "mobilenet_v2", {}, reading=again).model
        assert torch.equal(whole.network.eval().features(x), wanted)
        centred = {"network": "mobilenet_v2", "network_options": {}}
        other = prepare(samples(), "lrcn", centred, reading=again).model
        assert not torch.equal(other.network.eval().features(x), wanted)
        inner.save(tmp_path / "new", {})
        loaded = VideoModel.load(tmp_path / "new")
        assert torch.equal(loaded.network.features(x), wanted)


def test_figures_of_a_score_by_hand() -> None:
    probabilities = torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.2, 0.5, 0.3]])
    labels = torch.tensor([0, 2, 1])
    score = VideoScore("test", ("a", "b", "c"), ("x", "y", "z"), labels, probabilities)
    assert score.top1 == pytest.approx(2 / 3)
    assert score.top5 is None
    assert score.confusion.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0]]
    assert score.per_class == {"a": 1.0, "b": 1.0, "c": 0.0}
    assert score.ranks.tolist() == [0, 2, 0], "of two that are equally likely the first"
    nats = -(torch.tensor([0.7, 0.3, 0.5]).log().mean())
    assert score.headline()["nats_per_clip"] == pytest.approx(float(nats), rel=1e-6)


def test_other_data_leaves_out_what_was_seen(tmp_path: Path) -> None:
    model = unrolled.train(
        "video", data=samples(), model=EveryFrame(), out=tmp_path / "run",
        reading=READING, training=TRAINING,
    )  # fmt: skip
    seen = set(model.parts["train"])
    data = samples()
    learnt = [n for n, s in enumerate(data.samples) if s.digest in seen]
    with pytest.raises(ReaderError, match="not trained on"):
        evaluate_data(model, data.only(learnt))
    assert len(evaluate_data(model, data.only(learnt), part="all").labels) == len(learnt)
    more = dataclasses.replace(
        data.only(learnt),
        samples=tuple(
            dataclasses.replace(data.samples[n], digest="new")
            if n == learnt[0]
            else data.samples[n]
            for n in learnt
        ),
    )
    score = evaluate_data(model, more)
    assert (len(score.labels), score.seen_in_training) == (1, len(learnt) - 1)
    assert score.figures()["total"] == len(learnt)


@pytest.mark.parametrize("key", ["class_names", "preprocessing", "reading", "model", "parts"])
def test_a_damaged_model_is_named(tmp_path: Path, key: str) -> None:
    unrolled.train(
        "video", data=samples(vectors=True), model="gru", options={"hidden_size": 3},
        out=tmp_path / "run", reading=READING, training=TRAINING,
    )  # fmt: skip
    path = tmp_path / "run" / "model" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {key: {"height": "x", "code": "os"}}))
    if key in ("parts", "class_names"):
        path.write_text(json.dumps({k: v for k, v in config.items() if k != key}))
    with pytest.raises((ReaderError, ConfigError)):
        VideoModel.load(tmp_path / "run")
