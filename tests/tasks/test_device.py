"""Every task learns on a device that is no CPU, leaves a model of no device, and uses it there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

import unrolled
from tests import elsewhere
from tests.tasks.video.clips import READING, EveryFrame, WholeClip, samples
from unrolled.errors import ConfigError
from unrolled.models import Captioner
from unrolled.readers.text import split_texts
from unrolled.registry import lookup, names
from unrolled.tasks.captioning import model as captioning_model
from unrolled.tasks.captioning.data import CaptioningData, read_captioning_data
from unrolled.tasks.captioning.learning import prepare as prepare_captioning
from unrolled.tasks.captioning.learning_options import CaptioningTrainingOptions
from unrolled.tasks.captioning.networks import captioner_class
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.prediction import predict as describe
from unrolled.tasks.language.evaluation import evaluate
from unrolled.tasks.language.model import prepare as prepare_language
from unrolled.tasks.language.network_options import NETWORK_OPTIONS
from unrolled.tasks.language.networks import network_options
from unrolled.tasks.language.prediction import predict
from unrolled.tasks.language.writing import searched, written
from unrolled.tasks.learning import AnyLearning
from unrolled.tasks.video.evaluation import evaluate_data
from unrolled.tasks.video.joined_evaluation import evaluate_live
from unrolled.tasks.video.live import LiveModel
from unrolled.tasks.video.model import prepare as prepare_video
from unrolled.tasks.video.motion import diagnose_data
from unrolled.tasks.video.options import VideoTrainingOptions
from unrolled.training.options import TrainingOptions
from unrolled.training.plain_yaml import read_yaml

TEXT = "to be (or not) to be " * 40
CAPTIONS = CaptioningOptions(height=32, width=32, scenes=20)
CAPTIONERS = [name for name in names() if issubclass(lookup(name), Captioner)]
SMALL = {
    "language": {"hidden_size": 5},
    "video": {"widths": [2, 3, 4], "hidden_size": 5},
    "captioning": {"hidden_size": 5, "embedding_size": 3, "encoder.width": 2},
}


@pytest.fixture(autouse=True)
def _plugged_in() -> Iterator[None]:
    with elsewhere.plugged_in():
        yield


def learn_language(out: Path, device: str = "auto", **more: Any) -> Any:
    how = TrainingOptions(max_steps=3, window=8, batch_size=2, device=device)
    return unrolled.train("language", data=[TEXT], out=out, training=how, **more)


def learn_video(out: Path, device: str = "auto", data: Any = None, **more: Any) -> Any:
    how = VideoTrainingOptions(max_steps=2, batch_size=4, device=device)
    data, reading = data or samples(), more.pop("reading", READING)
    return unrolled.train("video", data=data, reading=reading, out=out, training=how, **more)


def learn_captioning(out: Path, device: str = "auto", **more: Any) -> Any:
    how = CaptioningTrainingOptions(max_steps=1, batch_size=4, device=device)
    data: dict[str, Any] = {"data": "world", "reading": CAPTIONS}
    return unrolled.train("captioning", **data, out=out, training=how, **more)


def require_learnt_there(learning: AnyLearning) -> None:
    """Run to the end; what is not there makes the loop raise."""
    assert learning.training.run()
    tensors = learning.model.network.state_dict().values()
    assert {tensor.device.type for tensor in tensors} == {elsewhere.NAME}


@pytest.mark.parametrize("name", [*NETWORK_OPTIONS, "gru"])
def test_language_models_learn_there(name: str) -> None:
    sizes = {"hidden_size": 5, "num_levels": 2, "embed_dim": 8, "num_heads": 2}
    options = {key: size for key, size in sizes.items() if key in network_options(name)}
    how = TrainingOptions(max_steps=1, window=8, batch_size=2, device="auto")
    require_learnt_there(prepare_language(split_texts([TEXT]), name, options, training=how))


@pytest.fixture(scope="module")
def captions() -> dict[bool, CaptioningData]:
    """Pictures, and films."""
    return {films: read_captioning_data("world", CAPTIONS, films=films) for films in (False, True)}


@pytest.mark.parametrize("name", CAPTIONERS)
def test_captioners_learn_there(name: str, captions: dict[bool, CaptioningData]) -> None:
    data, options = captions[captioner_class(name).films], SMALL["captioning"]
    how = CaptioningTrainingOptions(max_steps=1, batch_size=4, device="auto")
    require_learnt_there(prepare_captioning(data, name, options, reading=CAPTIONS, training=how))


@pytest.mark.parametrize(
    ("model", "vectors"),
    [("causal_small", False), ("gru", True), (WholeClip(), False), (EveryFrame(), False)],
    ids=["causal_small", "vectors", "whole_clips", "every_frame"],
)
def test_video_models_learn_there(model: Any, vectors: bool) -> None:
    options = SMALL["video"] if model == "causal_small" else {}
    how = VideoTrainingOptions(max_steps=2, batch_size=4, device="auto")
    data = samples(vectors=vectors)
    require_learnt_there(prepare_video(data, model, options, reading=READING, training=how))


def test_a_language_model_says_there_what_it_says_here(tmp_path: Path) -> None:
    learn_language(tmp_path / "run", "cpu", options=SMALL["language"])
    said = []
    for device in ("cpu", elsewhere.NAME):
        model = unrolled.load(tmp_path / "run", device=device)
        assert next(model.network.parameters()).device.type == device
        pieces = written(model, "to be", seed=3, top_k=5, top_p=0.9)
        found = (
            predict(model, "to be").log_probability,
            evaluate(model, split_texts([TEXT])).nats_per_token,
        )
        words = (
            "".join(next(pieces) for _ in range(20)),
            searched(model, "to", length=5, beam_size=3),
        )
        said.append((found, words))
    assert said[0][0] == pytest.approx(said[1][0], rel=1e-5)
    assert said[0][1] == said[1][1]


def test_a_video_model_says_there_what_it_says_here(tmp_path: Path) -> None:
    learn_video(tmp_path / "run", "cpu", model="causal_small", options=SMALL["video"])
    said = []
    for device in ("cpu", elsewhere.NAME):
        model = unrolled.load(tmp_path / "run", device=device)
        score = evaluate_data(model, samples(), part="all").probabilities
        joined = evaluate_live(model, samples(), 0.1, part="all").figures()
        live = LiveModel.load(tmp_path / "run", device)
        frames = torch.randint(0, 255, (3, 1, 3, 8, 8), dtype=torch.uint8)
        frames = frames.where(torch.arange(3)[:, None, None, None, None] > 5, 100)
        labels = torch.stack([p for x in frames if (p := live.labeller.push(x)) is not None])
        moving = diagnose_data(model, samples(), part="all").figures()
        said.append((score, labels, json.dumps([joined, moving], sort_keys=True)))
    torch.testing.assert_close(said[1][:2], said[0][:2])
    assert said[0][2] == said[1][2]


def test_a_captioner_says_there_what_it_says_here(tmp_path: Path) -> None:
    learn_captioning(tmp_path / "run", "cpu", options=SMALL["captioning"])
    said = []
    for device in ("cpu", elsewhere.NAME):
        model = unrolled.load(tmp_path / "run", device=device)
        assert model.attends
        (found,) = describe(model, ["world:7"], beam=3)
        said.append(found.captions)
    here, there = said
    assert [caption.text for caption in here] == [caption.text for caption in there]
    for one, other in zip(here, there, strict=True):
        assert one.log_probability == pytest.approx(other.log_probability, rel=1e-5)
        assert one.weights is not None
        torch.testing.assert_close(other.weights, one.weights)


def test_a_frozen_encoder_looks_there_and_what_it_saw_is_kept_here(tmp_path: Path) -> None:
    options = {"model": "lrcn", "options": {"network": "plain_cnn", "hidden_size": 5}}
    reading = READING.__class__(**{**vars(READING), "height": 16, "width": 16})
    learn_video(tmp_path / "first", **options, reading=reading)
    frozen = {**vars(reading), "weights": str(tmp_path / "first"), "freeze": True}
    model = learn_video(tmp_path / "second", **options, reading=READING.__class__(**frozen))
    assert {tensor.device.type for tensor in model.network.state_dict().values()} == {"cpu"}
    configuration = read_yaml(tmp_path / "second" / "config.yaml").plain()
    assert configuration["training"]["device"] == elsewhere.NAME  # and not "auto"


def test_a_run_goes_on_on_another_device_if_told_so(tmp_path: Path) -> None:
    learn_language(tmp_path / "run", options=SMALL["language"])
    checkpoints = sorted((tmp_path / "run" / "checkpoints").iterdir())
    model = unrolled.resume(tmp_path / "run", data=[TEXT], device="cpu")
    assert model.parts
    assert checkpoints
    assert read_yaml(tmp_path / "run" / "config.yaml").plain()["training"]["device"] == "cpu"
    assert (
        "the run was on elsewhere until step 3, and is on cpu"
        in (tmp_path / "run" / "report.html").read_text()
    )


def test_a_run_whose_device_is_gone_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn_language(tmp_path / "run", options=SMALL["language"])
    monkeypatch.setattr(elsewhere._driver, "is_there", False)
    with pytest.raises(ConfigError, match=r"got elsewhere; go on .* --resume .* --device cpu"):
        unrolled.resume(tmp_path / "run", data=[TEXT])


def test_a_score_that_stays_behind_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin of these tests: targets that nobody has moved."""

    def word_scores(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return F.log_softmax(logits, -1).gather(2, target.cpu().clamp(min=0)[..., None])[..., 0]

    monkeypatch.setattr(captioning_model, "word_scores", word_scores)
    with pytest.raises(RuntimeError, match="expected all tensors to be elsewhere"):
        learn_captioning(tmp_path / "run", options=SMALL["captioning"])
