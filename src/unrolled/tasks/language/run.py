"""A run of the language task in its folder: begun, taken up again, finished."""

import hashlib
import json
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

from unrolled.errors import ConfigError
from unrolled.readers.text import TextParts
from unrolled.readers.word_vectors import read_word_vectors, vector_size
from unrolled.tasks.beginning import new_run
from unrolled.tasks.continuing import network_of, require_unchanged, take_up
from unrolled.tasks.language.configuration import LANGUAGE_CONFIGURATION
from unrolled.tasks.language.data import read_language_parts
from unrolled.tasks.language.embeddings import (
    embedding_of,
    start_from,
    tell_found,
    with_embedding_size,
)
from unrolled.tasks.language.model import Learning, prepare
from unrolled.tasks.language.networks import (
    Network,
    resolved_options,
)
from unrolled.tasks.language.options import LanguageOptions
from unrolled.tasks.language.report import write_report
from unrolled.tasks.learning import Show, show_progress
from unrolled.tasks.vocabulary import Words
from unrolled.training.configuration import expand_path
from unrolled.training.device import use_threads
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder


@dataclass(frozen=True)
class Given:
    """What a run is given that no configuration can name.

    Args:
        network: learns, in the place of one that is built by its name.
        text: is read, in the place of files.
    """

    network: Network | None = None
    text: TextParts | None = None


def begin(
    out: Path | None,
    request: dict[str, Any],
    show: Show,
    imports: tuple[Path, ...] = (),
    *,
    given: Given = Given(),
) -> tuple[Learning, RunFolder]:
    """Get a new run ready, in a folder of its own.

    Args:
        out: the folder; None takes the next runs/language-N.
        request: data, model, options, reading and training; data and model are None if given.
        show: is told how far it is.
        imports: Python files that register classes.
        given: what the request cannot name.
    """
    words = {}
    if given.network is not None:
        words["model"] = f"a {type(given.network).__name__} was given from Python"
    if given.text is not None:
        words["data"] = "a text was given from Python"
    folder = new_run(
        out,
        "language",
        request,
        LANGUAGE_CONFIGURATION,
        lambda request: resolved_options(request["model"], _sized(request)),
        imports,
        network=given.network,
        words=words,
    )
    return _prepare(folder, show, given, fresh=True), folder


def reopen(
    path: Path,
    show: Show,
    given: Given = Given(),
) -> tuple[Learning, RunFolder]:
    """Take a run up at its last good checkpoint.

    Args:
        path: the folder of the run.
        show: is told how far it is.
        given: the network and the text that the run began with, where it was given them.
    Raises:
        ReaderError: no run there, none of its checkpoints is good, or its data has changed.
        ConfigError: the run was given a network or a text, and now is not.
    """
    return take_up(
        path,
        LANGUAGE_CONFIGURATION,
        lambda folder, fresh: _prepare(folder, show, given, fresh=fresh),
    )


def finish(learning: Learning, folder: RunFolder, show: Show = lambda *_: None) -> dict[str, Any]:
    """Write the model and the report, and return the run's figures."""
    counters = learning.counters
    figures = {
        "nats_per_token": counters.best,
        "perplexity": exp(min(counters.best, 700.0)),
        "bigram_nats_per_token": learning.baseline,
        "unit": learning.model.vocabulary.unit,
        "steps": counters.step,
        "skipped": counters.skipped,
        "seconds": counters.seconds,
    }
    if "words_with_vectors" in folder.record:
        figures["words_with_vectors"] = folder.record["words_with_vectors"]
    learning.model.save(folder.model, figures)
    learning.model.network.cpu()  # a report looks at little, closely
    write_report(learning, folder, show=show)
    return figures


def _text(folder: RunFolder, reading: LanguageOptions, given: Given) -> TextParts:
    """Read the text of a run, and make sure that it is the one that the run began with."""
    data = folder.request["data"]
    if given.text is not None:
        text = given.text
    elif data is None:
        cure = f"call unrolled.resume({str(folder.path)!r}, data=TEXT)"
        raise ConfigError("the text that this run was given from Python", "none", cure)
    else:
        text = read_language_parts(
            expand_path(data), split=reading.split, encoding=reading.encoding
        )
    require_unchanged(folder, "parts", text.hashes(), what=data or "the text")
    return text


def _prepare(folder: RunFolder, show: Show, given: Given, *, fresh: bool) -> Learning:
    request = folder.request
    reading = LanguageOptions(**request["reading"])
    options = TrainingOptions(**request["training"])
    network = network_of(folder, given.network)
    show(0.0, "reading")
    text = _text(folder, reading, given)
    use_threads(options.threads)
    if reading.level == "bpe":
        show(0.0, "learning byte pairs")
    report = show_progress(show)
    learning = prepare(
        text,
        network,
        request["options"],
        data=reading,
        training=options,
        folder=folder,
        report=lambda progress, _: report(progress),
    )
    if reading.embeddings is not None:
        _embed(learning, folder, reading, show, fresh=fresh)
    digest = hashlib.sha256(json.dumps(learning.model.vocabulary.entries).encode()).hexdigest()
    require_unchanged(folder, "vocabulary", digest, what="the vocabulary")
    return learning


def _sized(request: dict[str, Any]) -> dict[str, Any]:
    """Return the options of the network, the size of word vectors among them."""
    path, options = request["reading"].get("embeddings"), dict(request["options"])
    if path is None:
        return options
    size = vector_size(Path(expand_path(path)))
    return with_embedding_size(request["model"], options, size)


def _embed(
    learning: Learning, folder: RunFolder, reading: LanguageOptions, show: Show, *, fresh: bool
) -> None:
    """Begin with word vectors, or leave them to the checkpoint, which has what became of them."""
    embedding, vocabulary = embedding_of(learning.model.network), learning.model.vocabulary
    if fresh and isinstance(vocabulary, Words):
        path = Path(expand_path(str(reading.embeddings)))
        found = read_word_vectors(
            path, vocabulary.tokens, lambda share: show(0.0, f"word vectors {share:.0%}")
        )
        start_from(embedding, found)
        folder.record["words_with_vectors"] = len(found.tokens)
        learning.notices.append(tell_found(found, vocabulary, str(path)))
    embedding.weight.requires_grad_(not reading.freeze_embeddings)
