"""The language task: what it cuts, scores, saves and writes."""

import json
import math
from itertools import islice
from pathlib import Path

import pytest
import torch

from unrolled.errors import ConfigError, ReaderError
from unrolled.models import BigramLanguageModel, bigram_nats
from unrolled.readers.text import TextParts, hash_text
from unrolled.tasks.language.evaluation import evaluate, evaluate_file, share_learnt
from unrolled.tasks.language.model import (
    LanguageModel,
    Streams,
    evaluation_streams,
    mean_nats,
    prepare,
)
from unrolled.tasks.language.networks import build_language_network, network_options
from unrolled.tasks.language.options import LanguageOptions
from unrolled.tasks.language.writing import written
from unrolled.tasks.vocabulary import Characters
from unrolled.training.options import TrainingOptions

LINE = "the cat sat on the mat.\n"
TEXT = TextParts(LINE * 36, LINE * 4)
SMALL = {"embedding_size": 5, "hidden_size": 31}


def new() -> LanguageModel:
    return LanguageModel.new(TEXT, LanguageOptions(), "lstm", SMALL)


def trained(steps: int = 60) -> LanguageModel:
    options = TrainingOptions(epochs=100, max_steps=steps, window=13, learning_rate=2e-2)
    learning = prepare(TEXT, "lstm", SMALL, training=options)
    assert learning.training.run()
    return learning.model


def test_streams_are_contiguous_and_targets_one_further_on() -> None:
    streams = Streams(torch.arange(24), batch_size=2, window=4)
    chunks = list(streams)
    assert len(chunks) == len(streams) == 3
    assert torch.cat([c.x for c in chunks], 1).tolist() == [[*range(11)], [*range(11, 22)]]
    assert all(torch.equal(c.target, c.x + 1) for c in chunks)
    assert [c.number for c in chunks] == [0, 1, 2]
    assert torch.equal(streams[-1].x, chunks[-1].x)
    assert [c.number for c in streams[1:]] == [1, 2]


def test_a_short_text_makes_fewer_streams_and_a_shorter_window() -> None:
    assert Streams(torch.arange(21), batch_size=8, window=10).x.shape == (2, 10)
    tiny = Streams(torch.arange(5), batch_size=8, window=64)
    assert (tiny.x.shape, tiny.window, len(tiny)) == ((1, 4), 4, 1)
    with pytest.raises(ReaderError, match="at least 2 tokens, got 1"):
        Streams(torch.arange(1), batch_size=1, window=1)


def test_the_score_does_not_depend_on_the_window() -> None:
    model = trained()
    tokens = model.vocabulary.encode(TEXT.train)
    whole = mean_nats(model.network, Streams(tokens, 1, len(tokens)))
    for window in (1, 7, 100):
        assert abs(mean_nats(model.network, Streams(tokens, 1, window)) - whole) < 1e-6


def test_a_large_vocabulary_is_scored_in_shorter_windows() -> None:
    tokens = torch.arange(5000)
    assert evaluation_streams(tokens, 4, 65).window == 1024
    streams = evaluation_streams(tokens, 4, 10_000)
    assert streams.window == 2**24 // (4 * 10_000)
    assert streams.x.shape == (4, 1249)
    assert evaluation_streams(tokens, 4, 2**24).window == 1


def test_who_knows_nothing_needs_ln_v() -> None:
    model = new()
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.zero_()
    figures = evaluate(model, TEXT).figures()
    size = len(model.vocabulary)
    assert abs(figures["nats_per_character"] - math.log(size)) < 1e-6
    assert abs(figures["bits_per_character"] - math.log2(size)) < 1e-6
    assert abs(figures["perplexity"] - size) < 1e-4
    assert share_learnt(math.log(12), 0.5, 12) == 0
    assert share_learnt(0.5, 0.5, 12) == 1


def test_the_held_out_part_is_scored_of_the_own_text_and_all_of_another() -> None:
    model = new()
    score = evaluate(model, TEXT)
    assert (score.part, score.items) == ("held-out", 95)
    assert evaluate(model, TEXT, part="all").items == 40 * len(LINE) - 1
    assert evaluate(model, TEXT, part="train").items == 36 * len(LINE) - 1
    assert evaluate(model, TextParts("the mat.\n")).part == "all"
    with pytest.raises(ConfigError, match="held-out or all, got 'middle'"):
        evaluate(model, TEXT, part="middle")
    with pytest.raises(ReaderError, match="a part 'test' of at least 2 tokens, got 0"):
        evaluate(model, TEXT, part="test")


def test_what_the_model_has_seen_or_does_not_know_is_left_out_and_counted(tmp_path: Path) -> None:
    model = LanguageModel.new(
        TextParts(LINE, LINE, files=[hash_text(LINE)]), LanguageOptions(), "lstm", SMALL
    )
    (tmp_path / "seen.txt").write_text(LINE)
    (tmp_path / "unseen.txt").write_text("that cat! sat\n")
    score = evaluate_file(model, tmp_path)
    assert (score.part, score.seen_in_training, score.unknown) == ("all", len(LINE), 1)
    assert score.items == len("that cat sat\n") - 1
    everything = evaluate_file(model, tmp_path, part="all")
    assert everything.items == len(LINE) + len("that cat sat\n") - 1
    with pytest.raises(ReaderError, match="or pass --part all"):
        evaluate_file(model, tmp_path / "seen.txt")


def test_the_bigram_figure_is_that_of_the_bigram_model() -> None:
    learning = prepare(TEXT, "bigram", training=TrainingOptions(epochs=1))
    model = learning.model
    assert learning.training.run()
    assert isinstance(model.network, BigramLanguageModel)
    tokens = model.vocabulary.encode(TEXT.valid)
    nats = mean_nats(model.network, Streams(tokens, 1, 50))
    assert abs(learning.baseline - nats) < 1e-6
    learnt = torch.tensor([0, 1, 0, 1, 1])
    expected = -(math.log(2.1 / 2.2) + math.log(1.1 / 2.2)) / 2
    assert abs(bigram_nats(learnt, torch.tensor([0, 1, 0]), 2) - expected) < 1e-6


def test_words_are_counted_and_line_ends_are_tokens() -> None:
    text = TextParts("b a a\nc a <unk>\n", "a d\n")
    options = LanguageOptions(level="word", min_count=2)
    model = LanguageModel.new(text, options, "lstm", SMALL)
    assert model.vocabulary.entries == ("<unk>", "a", "<eos>")
    tokens = model.vocabulary.encode("a b\na")
    assert tokens.tolist() == [1, 0, 2, 1]
    assert model.vocabulary.decode(tokens) == "a <unk> \na "
    score = evaluate(model, text)
    assert (score.items, score.unknown, score.characters) == (2, 1, 4)


def test_networks_are_named_and_their_options_checked() -> None:
    assert network_options("lstm")["hidden_size"] == 512
    assert "cell" not in network_options("lstm")
    network = build_language_network("lstm", 11, {"hidden_size": 5, "num_layers": 2})
    assert network(torch.zeros(2, 3, dtype=torch.int64))[0].shape == (2, 3, 11)
    with pytest.raises(ConfigError, match=r"an option of lstm: .*, got 'depth'"):
        build_language_network("lstm", 11, {"depth": 2})


def test_it_learns_and_writes_what_it_learnt() -> None:
    model = trained(400)
    assert evaluate(model, TEXT).nats_per_token < 0.3
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
        ({"model": {"name": "lstm", "options": {"depth": 3}}}, "depth"),
        ({"model": {"name": "lstm", "options": {**SMALL, "hidden_size": 13}}}, "size mismatch"),
        ({"model": {"name": "os:system", "options": {}}}, "a name among"),
        ({"vocabulary": None}, "got no list of strings"),
    ):
        (tmp_path / "config.json").write_text(json.dumps({**config, **changed}))
        with pytest.raises((ReaderError, ConfigError), match=words):
            LanguageModel.load(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ReaderError, match="a model's configuration"):
        LanguageModel.load(tmp_path)


def test_characters_and_tokens_are_each_others_inverse() -> None:
    vocabulary = Characters.of("hello\n→")
    assert vocabulary.decode(vocabulary.encode("hole→")) == "hole→"
    with pytest.raises(ConfigError, match="in the prompt, got 'x' at position 2"):
        vocabulary.encode("hex", what="the prompt")


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one character"):
        next(written(new(), ""))


def test_a_text_too_short_to_hold_any_out_is_learnt_whole() -> None:
    options = TrainingOptions(epochs=200, learning_rate=5e-2)
    learning = prepare(TextParts("hello"), "lstm", {"hidden_size": 3}, training=options)
    assert "too short to hold a part out" in learning.notices[0]
    assert "becomes 4" in learning.notices[1]
    learning.training.run()
    text = "".join(islice(written(learning.model, "h", temperature=1e-3, seed=0), 4))
    assert text == "ello"


def test_the_same_seed_trains_the_same_model() -> None:
    first, second = trained(10), trained(10)
    for name, value in first.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name])
