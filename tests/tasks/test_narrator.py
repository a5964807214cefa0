"""The apprentice: what it learns is measured against the grammar, and so is what it says."""

from math import log
from pathlib import Path

from unrolled.tasks import narrator
from unrolled.tasks.narrator import Apprentice, first_words, judged
from unrolled.tasks.narrator_options import narrator_training
from unrolled.world import Narrator, narrate
from unrolled.world.narration import CAST

STORY = narrate(300, seed=0)


def apprentice(out: Path) -> Apprentice:
    return Apprentice.begin(STORY, out, narrator_training(1.0, seed=0))


def test_the_units_are_the_storys(tmp_path: Path) -> None:
    begun = apprentice(tmp_path / "run")
    words = len(STORY.text.split()) + 300  # and the end of every line
    assert begun.characters_per_token == len(STORY.text) / words
    begun.learning.counters.best = STORY.nats / words
    figures = begun.figures()
    assert abs(figures["nats_per_character"] - STORY.nats_per_character) < 1e-12
    assert abs(figures["share_learnt"] - 1) < 1e-12, "who is at the floor has learnt everything"
    begun.learning.counters.best = log(len(begun.learning.model.vocabulary))
    assert abs(begun.figures()["share_learnt"]) < 1e-12, "and who guesses, nothing"


def test_the_judge_hears_one_sentence_of_each_story(monkeypatch, tmp_path: Path) -> None:
    model, heard = apprentice(tmp_path / "run").learning.model, []

    def written(_, story: str, *, seed: int):
        teller = Narrator()
        for sentence in story.splitlines():
            assert teller.accept(sentence) > 0
        heard.append(seed)
        absent = next(name for name in CAST if name not in teller.stage)
        for word in f"the {absent if seed % 2 else teller.stage[0]} grows.".split():
            yield f"{word} "
        yield "\n"
        raise AssertionError("it listens on")

    monkeypatch.setattr(narrator, "written", written)
    verdict = judged(model, seed=7)
    assert heard == list(range(7, 57))
    assert (verdict.sentences, verdict.grammatical, verdict.possible) == (50, 50, 25)


def test_who_never_ends_a_sentence_is_stopped(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(narrator, "written", lambda *_, **__: iter(lambda: "red ", None))
    verdict = judged(apprentice(tmp_path / "run").learning.model, seed=1)
    assert (verdict.sentences, verdict.grammatical, verdict.possible) == (50, 0, 0)


def test_the_longest_sentence_is_shorter_than_the_judges_patience() -> None:
    assert max(map(len, narrate(5000).text.splitlines())) < narrator._LONGEST


def test_its_first_words_are_as_many_as_asked_for_and_the_same_again(tmp_path: Path) -> None:
    model = apprentice(tmp_path / "run").learning.model
    words = first_words(model, 40)
    assert len(words) == 40
    assert "\n" not in words
    assert first_words(model, 40) == words
