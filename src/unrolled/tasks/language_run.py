"""A run of the language task in its folder: begun, taken up again, finished."""

import hashlib
import json
from collections.abc import Callable
from math import exp
from pathlib import Path
from typing import Any

from unrolled.errors import ReaderError
from unrolled.readers.text import read_parts
from unrolled.readers.word_vectors import read_word_vectors, vector_size
from unrolled.registry import import_file
from unrolled.tasks.language import LanguageModel, Learning, prepare
from unrolled.tasks.language_embeddings import (
    embedding_of,
    start_from,
    tell_found,
    with_embedding_size,
)
from unrolled.tasks.language_options import LanguageOptions
from unrolled.tasks.model_folder import require_fitting_sizes
from unrolled.tasks.vocabulary import Words
from unrolled.training.device import use_threads
from unrolled.training.loop import Progress
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder

_UNITS = {"char": "character", "word": "word", "bpe": "token"}

Show = Callable[[float, str], None]  # the share that is done, and a few words on it


def begin(out: Path | None, request: dict[str, Any], show: Show) -> tuple[Learning, RunFolder]:
    """Get a new run ready, in a folder of its own.

    Args:
        out: the folder; None takes the next runs/language-N.
        request: data, model, options, import, reading and training, as JSON can hold them.
        show: is told how far it is.
    """
    folder = RunFolder.new(out, "language", request, request["training"]["keep"])
    return _prepare(folder, show, fresh=True), folder


def reopen(path: Path, show: Show) -> tuple[Learning, RunFolder]:
    """Take a run up at its last good checkpoint.

    Raises:
        ReaderError: no run there, none of its checkpoints is good, or its data has changed.
    """
    folder = RunFolder.open(path)
    checkpoint, faults = folder.checkpoints.load()
    if checkpoint is None and faults:
        raise ReaderError(f"a good checkpoint in {path}", "; ".join(map(str, faults)))
    try:
        folder.checkpoints.keep = folder.request["training"]["keep"]
        if checkpoint is not None:
            require_fitting_sizes(folder.request["options"], checkpoint.tensors)
        learning = _prepare(folder, show, fresh=checkpoint is None)
    except (KeyError, TypeError, AttributeError) as error:
        got = " ".join(str(error).split())
        raise ReaderError(f"a run's request in {path / 'run.json'}", got) from None
    for fault in faults:
        learning.notices.append(f"{fault}; the checkpoint before it is used")
    if checkpoint is None:
        folder.truncate_log(0)
    else:
        learning.training.restore(checkpoint)
    return learning, folder


def finish(learning: Learning, folder: RunFolder) -> dict[str, Any]:
    """Write the model, and return the run's figures."""
    counters = learning.counters
    figures = {
        "nats_per_token": counters.best,
        "perplexity": exp(min(counters.best, 700.0)),
        "bigram_nats_per_token": learning.baseline,
        "unit": _UNITS[learning.model.vocabulary.level],
        "steps": counters.step,
        "skipped": counters.skipped,
        "seconds": counters.seconds,
    }
    if "words_with_vectors" in folder.request:
        figures["words_with_vectors"] = folder.request["words_with_vectors"]
    learning.model.save(folder.model, figures)
    return figures


def _prepare(folder: RunFolder, show: Show, *, fresh: bool) -> Learning:
    request = folder.request
    for path in request["import"]:
        import_file(Path(path))
    reading = LanguageOptions(**request["reading"])
    options = TrainingOptions(**request["training"])
    show(0.0, "reading")
    text = read_parts(request["data"], split=reading.split, encoding=reading.encoding)
    hashes = request.setdefault("parts", text.hashes())
    if hashes != text.hashes():
        raise ReaderError(f"{request['data']} as it was when the run began", "another text")
    use_threads(options.threads)
    if reading.level == "bpe":
        show(0.0, "learning byte pairs")
    if reading.embeddings is not None and fresh:
        size = vector_size(Path(reading.embeddings))
        request["options"] = with_embedding_size(request["model"], request["options"], size)
    words = ""

    def report(progress: Progress, _: LanguageModel) -> None:
        nonlocal words
        if progress.loss is not None:
            words = f"{progress.loss:.3f} nats"
        show(progress.share, words)

    learning = prepare(
        text,
        request["model"],
        request["options"],
        data=reading,
        training=options,
        folder=folder,
        report=report,
    )
    if reading.embeddings is not None:
        _embed(learning, reading, request, show, fresh=fresh)
    digest = hashlib.sha256(json.dumps(learning.model.vocabulary.entries).encode()).hexdigest()
    if request.setdefault("vocabulary", digest) != digest:
        raise ReaderError("the vocabulary as it was when the run began", "another one")
    return learning


def _embed(
    learning: Learning,
    reading: LanguageOptions,
    request: dict[str, Any],
    show: Show,
    *,
    fresh: bool,
) -> None:
    """Begin with word vectors, or leave them to the checkpoint, which has what became of them."""
    embedding, vocabulary = embedding_of(learning.model.network), learning.model.vocabulary
    if fresh and isinstance(vocabulary, Words):
        path = Path(str(reading.embeddings))
        found = read_word_vectors(
            path, vocabulary.tokens, lambda share: show(0.0, f"word vectors {share:.0%}")
        )
        start_from(embedding, found)
        request["words_with_vectors"] = len(found.tokens)
        learning.notices.append(tell_found(found, vocabulary, str(path)))
    embedding.weight.requires_grad_(not reading.freeze_embeddings)
