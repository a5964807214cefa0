"""The language task: what it cuts, scores, saves and writes."""

import json
import math
from itertools import islice
from pathlib import Path

import pytest
import torch

from unrolled.errors import ConfigError, ReaderError
from unrolled.tasks.language import (
    LanguageModel,
    Streams,
    evaluate,
    learn,
    mean_nats,
    share_learnt,
    split_text,
    written,
)
from unrolled.tasks.language_options import NetworkOptions
from unrolled.tasks.vocabulary import Vocabulary
from unrolled.training.options import TrainingOptions

TEXT = "the cat sat on the mat.\n" * 40
SMALL = NetworkOptions(embedding_size=5, hidden_size=31)


def trained(steps: int = 60) -> LanguageModel:
    options = TrainingOptions(epochs=100, max_steps=steps, window=13, learning_rate=2e-2)
    return learn(TEXT, SMALL, options)[0]


def test_streams_are_contiguous_and_targets_one_further_on() -> None:
    streams = Streams(torch.arange(24), batch_size=2, window=4)
    chunks = list(streams)
    assert len(chunks) == len(streams) == 3
    assert torch.cat([c.x for c in chunks], 1).tolist() == [[*range(11)], [*range(11, 22)]]
    assert all(torch.equal(c.target, c.x + 1) for c in chunks)
    assert [c.begins for c in chunks] == [True, False, False]


def test_too_many_streams_for_a_text_are_refused() -> None:
    with pytest.raises(ConfigError, match="more than 5 characters"):
        Streams(torch.arange(5), batch_size=5, window=4)


def test_the_score_does_not_depend_on_the_window() -> None:
    model = trained()
    tokens = model.vocabulary.encode(TEXT)
    whole = mean_nats(model.network, Streams(tokens, 1, len(tokens)))
    for window in (1, 7, 100):
        assert abs(mean_nats(model.network, Streams(tokens, 1, window)) - whole) < 1e-6


def test_who_knows_nothing_needs_ln_v() -> None:
    model = LanguageModel.new(TEXT, SMALL)
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.zero_()
    score = evaluate(model, TEXT)
    assert abs(score.nats_per_character - math.log(len(model.vocabulary))) < 1e-6
    assert abs(score.bits_per_character - math.log2(len(model.vocabulary))) < 1e-6
    assert share_learnt(math.log(12), 0.5, 12) == 0
    assert share_learnt(0.5, 0.5, 12) == 1


def test_the_end_is_held_out_of_training_and_scored() -> None:
    model = trained()
    learnt, held_out = split_text(TEXT)
    assert len(held_out) == 96
    assert learnt + held_out == TEXT
    score = evaluate(model, TEXT)
    assert (score.part, score.characters) == ("held-out", 95)
    assert evaluate(model, TEXT, part="all").characters == len(TEXT) - 1
    assert evaluate(model, "the mat.\n").part == "all"
    with pytest.raises(ConfigError, match="a part: held-out or all, got 'middle'"):
        evaluate(model, TEXT, part="middle")


def test_it_learns_and_writes_what_it_learnt() -> None:
    model = trained(400)
    assert evaluate(model, TEXT).nats_per_character < 0.3
    text = "".join(islice(written(model, "the cat sat", temperature=0.1, seed=0), 12))
    assert text == " on the mat."


def test_a_saved_model_is_enough_by_itself(tmp_path: Path) -> None:
    model = trained()
    model.save(tmp_path / "model", {"nats_per_character": 1.0})
    loaded = LanguageModel.load(tmp_path)
    assert loaded.vocabulary == model.vocabulary
    assert evaluate(loaded, TEXT) == evaluate(model, TEXT)
    texts = ["".join(islice(written(m, seed=5), 50)) for m in (model, loaded)]
    assert texts[0] == texts[1]
    assert "| hidden_size | 31 |" in (tmp_path / "model" / "README.md").read_text()


def test_a_model_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="got nothing there"):
        LanguageModel.load(tmp_path / "none")
    with pytest.raises(ReaderError, match=r"no config\.json in it"):
        LanguageModel.load(tmp_path)
    trained(2).save(tmp_path, {})
    config = json.loads((tmp_path / "config.json").read_text())
    for changed, words in (
        ({"format": 99}, "format 99 for language; use the version"),
        ({"task": "video"}, "format 1 for video"),
        ({"network": {"cell": "lstm", "depth": 3}}, "depth"),
        ({"network": {**config["network"], "hidden_size": 13}}, "size mismatch"),
        ({"network": {**config["network"], "cell": "os:system"}}, "a name among"),
    ):
        (tmp_path / "config.json").write_text(json.dumps({**config, **changed}))
        with pytest.raises((ReaderError, ConfigError), match=words):
            LanguageModel.load(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ReaderError, match="a model's configuration"):
        LanguageModel.load(tmp_path)


def test_characters_and_tokens_are_each_others_inverse() -> None:
    vocabulary = Vocabulary.of("hello\n→")
    assert vocabulary.decode(vocabulary.encode("hole→")) == "hole→"
    with pytest.raises(ConfigError, match="in the prompt, got 'x' at position 2"):
        vocabulary.encode("hex", what="the prompt")


def test_an_empty_prompt_and_a_tiny_text_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least one character"):
        next(written(LanguageModel.new(TEXT, SMALL), ""))
    with pytest.raises(ReaderError, match="at least 20 characters, got 5"):
        learn("hello", SMALL, TrainingOptions())


def test_the_same_seed_trains_the_same_model() -> None:
    first, second = trained(10), trained(10)
    for name, value in first.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name])
