"""``unrolled generate``."""

import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from unrolled.cli.imports import Imports, run_imports
from unrolled.cli.output import print_json
from unrolled.errors import ConfigError


def generate(
    model: Path,
    /,
    *,
    prompt: str | None = None,
    length: int = 500,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    greedy: bool = False,
    beam: int | None = None,
    seed: int | None = None,
    device: str = "cpu",
    import_: Imports = (),
    json: bool = False,
) -> None:
    """Let a model write on, each token drawn and printed as it comes.

    Example: unrolled generate runs/language-1 --prompt "ROMEO:" --temperature 0.8

    Args:
        model: a run folder or a model folder.
        prompt: what it goes on from; left out, a line end.
        length: how many tokens to write.
        temperature: below 1 is more careful, above 1 more daring.
        top_k: draw among so many of the likeliest tokens.
        top_p: draw among the likeliest tokens that together have this probability.
        greedy: take the likeliest token every time, and draw nothing.
        beam: search with a beam of so many hypotheses, and draw nothing.
        seed: repeat it to draw the same text again.
        device: cpu, cuda, cuda:1 or mps; or auto, which is the machine's GPU if it has one.
        import_: a Python file of yours that registers the model's cell.
        json: print one JSON object and nothing else.
    """
    from unrolled.tasks.language.model import LanguageModel
    from unrolled.tasks.language.writing import searched, written
    from unrolled.training.device import use_device

    if length < 1:
        raise ConfigError("a length of at least 1", str(length))
    run_imports(import_)
    place = use_device(device)
    loaded = LanguageModel.load(model)
    loaded.network.to(place)
    pieces: Iterable[str]
    if greedy or beam is not None:
        beam_size = 1 if beam is None else beam
        pieces = [searched(loaded, prompt, length=length, beam_size=beam_size)]
    else:
        draws = written(
            loaded, prompt, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed
        )
        pieces = islice(draws, length)
    if json:
        print_json({"model": str(model), "prompt": prompt, "text": "".join(pieces)})
        return
    sys.stdout.write(prompt or "")
    if loaded.vocabulary.level == "word" and prompt and not prompt[-1].isspace():
        sys.stdout.write(" ")
    _write(pieces)


def _write(pieces: Iterable[str]) -> None:
    """Write pieces as they come, and end the line."""
    for piece in pieces:
        sys.stdout.write(piece)
        sys.stdout.flush()
    sys.stdout.write("\n")
