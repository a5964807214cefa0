"""``unrolled bench decoding`` and ``unrolled bench captions``."""

from typing import Any

from unrolled.cli.output import print_json, print_table, progress_bar


def decoding(
    *,
    batch_size: int = 64,
    beam_size: int = 5,
    vocabulary_size: int = 10_000,
    hidden_size: int = 512,
    num_words: int = 20,
    rounds: int = 5,
    threads: int = 0,
    json: bool = False,
) -> None:
    """Time beam search over a batch of pictures against a loop over pictures.

    Example: unrolled bench decoding --batch-size 16 --rounds 3

    Args:
        batch_size: pictures.
        beam_size: hypotheses of each.
        vocabulary_size: words to choose from.
        hidden_size: of the LSTM that says the words.
        num_words: of every caption.
        rounds: turns that each of the compared has; the medians are shown.
        threads: CPU threads; 0 leaves torch's own choice.
        json: print one JSON object and nothing else.
    """
    from unrolled.benchmarks.decoding import measure
    from unrolled.errors import ConfigError
    from unrolled.training.device import use_threads

    sizes = (batch_size, beam_size, vocabulary_size, hidden_size, num_words, rounds)
    if min(sizes) < 1 or vocabulary_size < beam_size:
        raise ConfigError(
            "sizes and rounds of at least 1, and no beam above the vocabulary", f"{sizes}"
        )
    use_threads(threads)
    with progress_bar("timing") as bar:
        found = measure(
            batch_size=batch_size,
            beam_size=beam_size,
            vocabulary_size=vocabulary_size,
            hidden_size=hidden_size,
            num_words=num_words,
            rounds=rounds,
            show=bar,
        )
    if json:
        print_json(found)
        return
    _show_decoding(found)


def _show_decoding(found: dict[str, Any]) -> None:
    seconds = found["seconds"]
    rows = [(who, f"{s:.3f}", f"{s / seconds['ours']:.2f}") for who, s in seconds.items()]
    shape = found["shape"]
    title = (
        f"{shape['batch']} pictures, beam {shape['beam']}, {shape['vocabulary']:,} words to choose "
        f"from, hidden {shape['hidden']}, {shape['words']} words; {found['threads']} threads"
    )
    print_table(title, ("search", "seconds", "times ours"), rows, right=("seconds", "times ours"))
    same = "the same captions" if found["same_captions"] else "OTHER captions"
    outside = f"{found['share_outside_model']:.0%} of ours is outside the model"
    print(
        f"the loop found {same}; {outside}, {found['share_outside_products']:.0%} outside products"
    )
    if "transformers" not in seconds:
        print("transformers is not installed: its generate was not timed")


def captions(
    *, num_pictures: int = 5000, num_references: int = 5, rounds: int = 3, json: bool = False
) -> None:
    """Time the caption metrics, from text to scores, against pycocoevalcap.

    Example: unrolled bench captions --num-pictures 1000

    Args:
        num_pictures: candidates.
        num_references: of each.
        rounds: turns that each of the compared has; the medians are shown.
        json: print one JSON object and nothing else.
    """
    from unrolled.benchmarks.captions import measure
    from unrolled.errors import ConfigError

    if min(num_pictures, num_references, rounds) < 1:
        got = f"{num_pictures}, {num_references} and {rounds}"
        raise ConfigError("pictures, references and rounds of at least 1", got)
    with progress_bar("timing") as bar:
        found = measure(
            num_pictures=num_pictures, num_references=num_references, rounds=rounds, show=bar
        )
    if json:
        print_json(found)
        return
    rows = [(who, f"{seconds:.3f}") for who, seconds in found["seconds"].items()]
    title = f"{num_pictures:,} candidates with {num_references} references each"
    print_table(title, ("metrics", "seconds"), rows, right=("seconds",))
    if found["times_faster"] is None:
        print("pycocoevalcap is not installed: it was not timed")
    else:
        print(
            f"{found['times_faster']:.1f} times faster; the scores differ by at most "
            f"{found['difference']:.0e}"
        )
