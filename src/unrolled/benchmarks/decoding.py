"""How fast beam search is: a batch at once, against the tutorials' loop over pictures."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.benchmarks.timing import side_by_side
from unrolled.decoding import beam_search
from unrolled.models import RecurrentLanguageModel


def measure(
    *,
    batch_size: int = 64,
    beam_size: int = 5,
    vocabulary_size: int = 10_000,
    hidden_size: int = 512,
    num_words: int = 20,
    rounds: int = 5,
    show: Callable[[float, str], None] = lambda *_: None,
) -> dict[str, Any]:
    """Measure a search for captions of ``num_words`` words each, none of which ends early.

    Args:
        batch_size: pictures.
        beam_size: hypotheses of each.
        vocabulary_size: words to choose from.
        hidden_size: of the LSTM, and of a word's vector.
        num_words: of a caption.
        rounds: turns that each has; medians are returned.
        show: is told how far it is.

    Returns:
        Seconds of our search, of the model's steps in it alone, of its products of matrices alone,
        of the loop over pictures, and of ``generate`` of transformers where it is installed;
        whether the loop found the same captions.
    """
    torch.manual_seed(0)
    model = RecurrentLanguageModel(
        vocabulary_size, embedding_size=hidden_size, hidden_size=hidden_size
    ).eval()
    first = torch.randint(vocabulary_size, (batch_size, 1))
    options = {"beam_size": beam_size, "max_length": num_words}
    rows = [batch_size, *[batch_size * beam_size] * (num_words - 1)]
    calls: dict[str, Callable[[], Any]] = {
        "ours": lambda: beam_search(model, first, **options),
        "model alone": lambda: _model_alone(model, rows),
        "products": lambda: _products(model, rows),
        "loop over pictures": lambda: search_one_by_one(model, first, beam_size, num_words),
    }
    found = {"same_captions": bool(_equal(calls["ours"](), calls["loop over pictures"]()))}
    generate = _transformers(first, vocabulary_size, hidden_size, beam_size, num_words)
    if generate is not None:
        calls["transformers"] = generate
    seconds = side_by_side(calls, rounds=rounds, show=lambda share: show(share, "searching"))
    return {
        "threads": torch.get_num_threads(),
        "shape": {"batch": batch_size, "beam": beam_size, "vocabulary": vocabulary_size}
        | {"hidden": hidden_size, "words": num_words},
        "seconds": seconds,
        "times_faster_than_loop": seconds["loop over pictures"] / seconds["ours"],
        "share_outside_model": 1 - seconds["model alone"] / seconds["ours"],
        "share_outside_products": 1 - seconds["products"] / seconds["ours"],
        "times_faster_than_transformers": (
            seconds["transformers"] / seconds["ours"] if generate is not None else None
        ),
        **found,
    }


@torch.no_grad()
def search_one_by_one(
    model: RecurrentLanguageModel, first: Tensor, beam_size: int, num_words: int
) -> Tensor:
    """Search as captioning tutorials do: picture by picture, torch.topk over all scores.

    Source: the usual loop, as with Show, Attend and Tell; here no caption ends early.
    """
    embedding, cell, output = _parts(model)
    captions = []
    for word in first:
        words = word.expand(beam_size)
        h = c = torch.zeros(beam_size, cell.weight_hh.shape[1])
        totals, sentences = torch.zeros(beam_size, 1), torch.empty(beam_size, 0, dtype=torch.int64)
        for step in range(num_words):
            weights = cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh
            h, c = torch.lstm_cell(F.embedding(words, embedding.weight), (h, c), *weights)
            scores = totals + F.log_softmax(F.linear(h, output.weight, output.bias), dim=1)
            # At the first step all hypotheses are the same one.
            best, places = (scores[0] if step == 0 else scores.flatten()).topk(beam_size)
            parents, words = places // scores.shape[1], places % scores.shape[1]
            sentences = torch.cat([sentences[parents], words[:, None]], dim=1)
            h, c, totals = h[parents], c[parents], best[:, None]
        captions.append(sentences[0])
    return torch.stack(captions)


@torch.no_grad()
def _model_alone(model: RecurrentLanguageModel, rows: list[int]) -> None:
    """Run the model as the search does, and choose nothing."""
    states = {count: model.initial_state(count) for count in set(rows)}
    for count in rows:
        model.step_(torch.zeros(count, dtype=torch.int64), states[count])


@torch.no_grad()
def _products(model: RecurrentLanguageModel, rows: list[int]) -> None:
    """Multiply what the search multiplies, and nothing else."""
    _, cell, output = _parts(model)
    for count in rows:
        h = torch.zeros(count, output.weight.shape[1])
        F.linear(h, cell.weight_ih)
        F.linear(h, cell.weight_hh)
        F.linear(h, output.weight, output.bias)


def _parts(model: RecurrentLanguageModel) -> tuple[Any, Any, Any]:
    embedding, cell, output = model.children()
    return embedding, cell, output


def _equal(found: Any, captions: Tensor) -> bool:
    return torch.equal(found.tokens[:, 0], captions)


def _transformers(
    first: Tensor, vocabulary_size: int, hidden_size: int, beam_size: int, num_words: int
) -> Callable[[], Any] | None:
    """Return ``generate`` of a decoder with as many products a word, or None without the library.

    One layer of GPT-2: 4 D**2 for attention and 4 D**2 in between are an LSTM's 8 D**2.
    """
    try:
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError:
        return None
    config = GPT2Config(
        vocab_size=vocabulary_size,
        n_positions=num_words + 1,
        n_embd=hidden_size,
        n_layer=1,
        n_head=8,
        n_inner=2 * hidden_size,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    peer = GPT2LMHeadModel(config).eval()
    options = {"num_beams": beam_size, "max_new_tokens": num_words, "do_sample": False}
    mask = torch.ones_like(first)
    return lambda: peer.generate(first, attention_mask=mask, **options)
