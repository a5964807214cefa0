"""``unrolled generate``."""

import sys
from itertools import islice
from pathlib import Path

from unrolled.cli.output import print_json


def generate(
    model: Path,
    /,
    *,
    prompt: str | None = None,
    length: int = 500,
    temperature: float = 1.0,
    seed: int | None = None,
    json: bool = False,
) -> None:
    """Let a model write on, each character drawn and printed as it comes.

    Example: unrolled generate runs/language-1 --prompt "ROMEO:" --temperature 0.8

    Args:
        model: a run folder or a model folder.
        prompt: what it goes on from; left out, a line end.
        length: how many characters to draw.
        temperature: below 1 is more careful, above 1 more daring.
        seed: repeat it to draw the same text again.
        json: print one JSON object and nothing else.
    """
    from unrolled.tasks.language import LanguageModel, written

    loaded = LanguageModel.load(model)
    characters = islice(written(loaded, prompt, temperature=temperature, seed=seed), max(0, length))
    if json:
        text = "".join(characters)
        print_json({"model": str(model), "prompt": prompt, "text": text})
        return
    sys.stdout.write(prompt or "")
    for character in characters:
        sys.stdout.write(character)
        sys.stdout.flush()
    sys.stdout.write("\n")
