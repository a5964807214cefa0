"""Samples in training: when, from what, and without a trace in the run."""

import pytest
import torch

from unrolled.models import RecurrentLanguageModel
from unrolled.tasks.language.samples import choose_prompt, continuations, is_sampled, observe_sample
from unrolled.tasks.vocabulary import BytePairs, Characters, Words
from unrolled.training.loop import Progress


def test_they_are_taken_at_steps_four_times_as_far_and_at_the_end() -> None:
    due = [step for step in range(1, 13_000) if is_sampled(Progress(step, 0.5, loss=1.0))]
    assert due == [1, 50, 200, 800, 3200, 12_800]
    assert is_sampled(Progress(7, 1.0, validation=1.0))
    assert not is_sampled(Progress(7, 0.5, validation=1.0))
    assert not is_sampled(Progress(50, 0.5)), "an update that was left out"


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("end of one.\nThe next\nlast", "The next\n"),
        ("end.\n\n  \nROMEO:\nO", "ROMEO:\n"),
        ("end.\nA line that is longer than a prompt is\n", "A line that is l"),
        ("only one line here", "only one line he"),
        ("a\n\n", "a\n"),
        ("\n\n\n", "\n"),
        ("x", "x"),
    ],
)
def test_a_prompt_is_the_first_whole_line(text: str, prompt: str) -> None:
    vocabulary = Characters.of(text)
    assert vocabulary.decode(choose_prompt(vocabulary, vocabulary.encode(text))) == prompt


def test_a_prompt_of_words() -> None:
    text = "of the end\n\nthe next line\n"
    vocabulary = Words.of(text)
    prompt = choose_prompt(vocabulary, vocabulary.encode(text))
    assert vocabulary.decode(prompt) == "the next line \n"


def test_a_prompt_of_byte_pairs() -> None:
    text = "of the end\n\n\nthe next line\n\n\nthe last\n" * 9
    pairs = BytePairs.of(text, size=300)
    assert "\n\n" in pairs.entries, "a line end is not always an entry of its own"
    assert pairs.decode(choose_prompt(pairs, pairs.encode(text))) == "the next line\n\n"


def model(dropout: float = 0.5) -> RecurrentLanguageModel:
    return RecurrentLanguageModel(3, embedding_size=5, hidden_size=7, dropout=dropout)


def test_a_sample_leaves_no_trace() -> None:
    network = model().train()
    before = torch.get_rng_state()
    found = observe_sample(
        network, Characters.of("abc"), torch.tensor([0, 1]), Progress(1, 0.1, loss=1.0)
    )
    assert len(found["sample"]) == 80
    assert torch.equal(torch.get_rng_state(), before)
    assert network.training


def test_the_draws_are_the_same_every_time() -> None:
    network, vocabulary = model().eval(), Characters.of("abc")
    first = continuations(network, vocabulary, torch.tensor([0]), length=20, count=2)
    torch.manual_seed(99)
    assert continuations(network, vocabulary, torch.tensor([0]), length=20, count=2) == first
    assert first[0] != first[1]


def test_a_network_that_has_gone_bad_is_left_to_training() -> None:
    network = model()
    torch.nn.init.constant_(next(network.parameters()), torch.nan)
    progress = Progress(1, 0.1, loss=1.0)
    assert observe_sample(network, Characters.of("abc"), torch.tensor([0]), progress) == {}
