"""The page of a captioning run: what it shows is what was said, and it needs nothing beside it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports.pages import Page
from unrolled.tasks.captioning.configuration import CAPTIONING_CONFIGURATION
from unrolled.tasks.captioning.evaluation import CaptioningScore
from unrolled.tasks.captioning.learning import Learning
from unrolled.tasks.captioning.report import write_report
from unrolled.tasks.captioning.run import begin, judge
from unrolled.tasks.captioning.view import look_at_examples, look_at_samples
from unrolled.tasks.command import command_of
from unrolled.training.history import History, Observation
from unrolled.training.run_folder import RunFolder

Run = tuple[Learning, RunFolder, CaptioningScore]


def run(path: Path, model: str, options: dict[str, int]) -> Run:
    size = {"height": 32, "width": 32, "scenes": 40, "split": "50/25/25", "frames": 3}
    request = {
        "data": "world",
        "model": model,
        "options": {**options, "embedding_size": 7, "hidden_size": 11, "encoder.width": 3},
        "reading": size,
        "describing": {"beam": 2},
        "training": {"max_steps": 2, "batch_size": 5, "threads": 1},
    }
    learning, folder = begin(path, request, lambda *_: None)
    learning.training.run()
    return learning, folder, judge(learning)[0]


@pytest.fixture(scope="module")
def soft(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("runs") / "soft", "show_attend_tell", {"attention_size": 5})


def test_the_page_is_whole_and_shows_captions_scores_and_attention(soft: Run) -> None:
    learning, folder, score = soft
    page = Page(write_report(learning, folder, score))
    assert page.fetched == [] or all("=data:" in found for found in page.fetched)
    for words in ("Where it looked", "Good and failed", "How it learnt", "To repeat it", "CIDEr-D"):
        assert words in page.text
    for found in score.captions[:1]:
        assert found[0].text in page.text
    assert page.source.count('class="attention"') >= 4
    assert "unrolled train captioning --data world" in page.text


def test_failed_captions_come_least_likely_first_and_good_ones_are_references(soft: Run) -> None:
    learning, _, score = soft
    captions = [list(found) for found in score.captions]
    words = tuple(score.references[3][0].split())
    right = replace(captions[3][0], words=words, weights=None)
    captions[3][0] = right
    good, failed = look_at_examples(learning.data, replace(score, captions=tuple(captions)))
    assert [shown.name for shown in good] == [score.names[3]]
    assert good[0].right
    doubts = {
        score.names[n]: found[0].log_probability / (len(found[0].words) + 1)
        for n, found in enumerate(captions)
    }
    likely = [doubts[shown.name] for shown in failed]
    assert likely == sorted(likely)
    assert likely[0] == min(doubts[name] for name in doubts if name != score.names[3])


def test_without_a_right_caption_those_most_alike_are_good(soft: Run) -> None:
    learning, _, score = soft
    wrong = [[replace(found[0], words=("wall",) * 3, weights=None)] for found in score.captions]
    wrong[5][0] = replace(wrong[5][0], words=(*score.references[5][0].split(), "wall"))
    good, failed = look_at_examples(learning.data, replace(score, captions=tuple(wrong)))
    assert good[0].name == score.names[5]
    assert not any(shown.right for shown in good)
    assert {shown.name for shown in good}.isdisjoint(shown.name for shown in failed)


def test_captions_in_training_are_shown_where_they_change(soft: Run) -> None:
    learning, _, _ = soft
    name = learning.data.items[30].name
    said = ["a wall", "a wall", "a red circle"]
    history = History(
        observations={
            step: Observation(step, float(step), 1.0, True, {"captions": {name: caption}})
            for step, caption in enumerate(said)
        }
    )
    (sampled,) = look_at_samples(learning.data, history)
    assert sampled.captions == [(0, 0.0, "a wall"), (2, 2.0, "a red circle")]


def test_the_same_caption_for_every_picture_is_said_to_be_so(soft: Run) -> None:
    learning, folder, score = soft
    same = score.diversity._replace(commonest_share=1.0, distinct_captions=1)
    page = Page(write_report(learning, folder, replace(score, diversity=same)))
    assert "Most pictures get the same caption" in page.text


@pytest.mark.parametrize("name", ["show_and_tell", "temporal_attention"])
def test_models_that_do_not_look_and_films_have_a_page_too(name: str, tmp_path: Path) -> None:
    options = {"attention_size": 5} if name == "temporal_attention" else {}
    learning, folder, score = run(tmp_path / "run", name, options)
    page = Page(write_report(learning, folder, score))
    assert ("Where it looked" in page.text) == (name == "temporal_attention")
    assert ('class="examples films"' in page.source) == learning.model.films


def test_the_command_repeats_the_run(soft: Run) -> None:
    command = command_of(soft[1].request, CAPTIONING_CONFIGURATION)
    for part in ("--height 32", "--scenes 40", "--beam 2", "--set model.attention_size=5"):
        assert part in command
    assert "--frames 3" in command
    assert "--min-count" not in command
