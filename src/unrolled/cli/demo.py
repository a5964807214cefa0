"""``unrolled demo``."""

import sys
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.cli.output import print_json, progress_bar
from unrolled.training.options import TrainingOptions

if TYPE_CHECKING:
    from unrolled.tasks.language import LanguageModel
    from unrolled.training.loop import Progress
    from unrolled.world import Narration

_SENTENCES = 6000
_SAMPLES_AT = (1, 50, 200, 800)
_NETWORK = {"embedding_size": 32, "hidden_size": 192}
_JUDGED = 50  # sentences


def demo(
    *, out: Path | None = None, minutes: float = 0.75, seed: int = 0, json: bool = False
) -> int:
    """Learn a small language from the embedded world, and see how much of it was learnt.

    Shapes move about a stage and a narrator says what they do. A network reads the narration
    character by character, writes as it learns, and is then judged by the grammar.

    Example: unrolled demo

    Args:
        out: a new folder for the run; runs/demo-N if left out.
        minutes: how long to learn.
        seed: of the world and of the network.
        json: print one JSON object and nothing else.
    """
    from unrolled.world import narrate

    story = narrate(_SENTENCES, seed=seed)
    if not json:
        print(_introduction(story, minutes))
        sys.stdout.flush()  # before torch is imported, which takes a second

    from unrolled.readers.text import TextParts
    from unrolled.tasks.language import prepare
    from unrolled.training.device import use_threads
    from unrolled.training.run_folder import RunFolder

    folder = RunFolder.new(out, "demo", {"minutes": minutes, "seed": seed}, keep=1)
    options = TrainingOptions(
        epochs=1000, max_minutes=minutes, window=128, learning_rate=5e-3, seed=seed
    )
    use_threads(0)
    with progress_bar("learning") as bar:

        def report(progress: "Progress", model: "LanguageModel") -> None:
            if progress.loss is not None:
                nats = f"{progress.loss:.3f} nats per character"
                bar(progress.share, f"{nats}, floor {story.nats_per_character:.3f}")
                if progress.step in _SAMPLES_AT and not json:
                    print(_sample(progress.step, model))

        place = len(story.text) * 9 // 10
        text = TextParts(story.text[:place], story.text[place:])
        learning = prepare(text, "lstm", _NETWORK, training=options, folder=folder, report=report)
        finished = learning.training.run()
    model, counters = learning.model, learning.counters
    figures = {"steps": counters.step, "seconds": counters.seconds}
    figures |= _verdict(model, counters.best, story.nats_per_character, seed)
    model.save(folder.model, figures)
    if json:
        print_json({"out": str(folder.path), **figures})
    else:
        print(_sample(counters.step, model))
        print(_conclusion(figures, folder.path))
    return 0 if finished else 130


def _introduction(story: "Narration", minutes: float) -> str:
    lines = "\n  ".join(story.text.split("\n")[:5])
    return (
        f"A network of {_NETWORK['hidden_size']} LSTM units reads {len(story.text):,} characters "
        f"of narration for {60 * minutes:.0f} s, on the CPU.\n"
        f"No reader can predict it with fewer than {story.nats_per_character:.4f} nats per "
        f"character: its grammar is known.\n\nThe narrator says:\n\n  {lines}\n\n"
        "The network writes:\n"
    )


def _sample(step: int, model: "LanguageModel") -> str:
    from unrolled.tasks.language_writing import written
    from unrolled.training.modes import evaluating

    with evaluating(model.network):
        text = "".join(islice(written(model, seed=0), 60)).replace("\n", " / ")
    return f"  step {step:>4}  {text}"


def _verdict(model: "LanguageModel", nats: float, floor: float, seed: int) -> dict[str, Any]:
    """Let the model tell a new story on, and judge its sentences."""
    from unrolled.tasks.language_evaluation import share_learnt
    from unrolled.tasks.language_writing import written
    from unrolled.world import judge, narrate

    story, text = narrate(20, seed=seed + 1).text, ""
    for character in written(model, story, seed=seed):
        text += character
        if text.count("\n") == _JUDGED or len(text) == 100 * _JUDGED:
            break
    share = share_learnt(nats, floor, len(model.vocabulary))
    judged = asdict(judge(text, story=story))
    return {"nats_per_character": nats, "floor": floor, "share_learnt": share, **judged}


def _conclusion(figures: dict[str, Any], folder: Path) -> str:
    return (
        f"\n{figures['nats_per_character']:.4f} nats per character on the part it never read, "
        f"after {figures['steps']:,} steps in {figures['seconds']:.0f} s:\n"
        f"{figures['share_learnt']:.1%} of what can be learnt.\n"
        f"Of {figures['sentences']} sentences with which it told a new story on, "
        f"{figures['grammatical']} are grammatical,\nand {figures['possible']} can happen with the "
        "shapes then on the stage, which takes memory.\n\n"
        f"The model is in {folder}. Go on with:\n\n"
        f"  unrolled generate {folder} --temperature 0.5\n"
        "  unrolled train language --data YOUR.txt --max-minutes 3\n"
        "  unrolled evaluate runs/language-1"
    )
