"""Learning to describe: what is said of pictures, what is shown of it, and the honest baseline."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from unrolled.tasks.captioning.model import Caption
from unrolled.tasks.describer import Describer, Told, _order
from unrolled.tasks.describer_options import READING, describer_training


@pytest.fixture(scope="module")
def describer(tmp_path_factory: pytest.TempPathFactory) -> Describer:
    training = replace(describer_training(1.0, seed=0), max_minutes=None, max_steps=3, batch_size=8)
    few = replace(READING, scenes=60, split="60/20/20")
    found = Describer.begin(tmp_path_factory.mktemp("runs") / "d", training, reading=few)
    assert found.learn()
    return found


def test_the_baseline_is_the_commonest_caption_and_the_share_it_is_right_of(
    describer: Describer,
) -> None:
    data, parts = describer.learning.data, describer.learning.parts
    caption, share = describer.baseline()
    counts = Counter(said for n in parts["train"] for said in data.items[n].captions)
    assert counts[caption] == max(counts.values())
    assert share == sum(caption in data.items[n].captions for n in parts["test"]) / 12


def test_what_is_said_of_a_picture_is_told_with_its_pixels_and_whether_it_is_right(
    describer: Describer,
) -> None:
    told = describer.look([40, 41])
    data = describer.learning.data
    for number, each in zip((40, 41), told, strict=True):
        assert each.pixels.equal(data.pixels(number))
        assert each.right == (each.caption.text in data.items[number].captions)
    again = describer.learning.model.describe_batch(data.pixels(41)[None], 1)[0][0]
    assert told[1].caption.words == again.words


def test_two_things_are_shown_before_one_and_right_before_wrong() -> None:
    def told(count: int, right: bool, likely: float) -> Told:
        caption = Caption(("a",) * count, (likely,) * count, 0.0, None, None)
        return Told(torch.zeros(1), caption, right)

    wanted = [told(9, True, -0.1), told(9, True, -0.2), told(9, False, -0.1), told(3, True, -0.1)]
    assert sorted(wanted[::-1], key=_order) == wanted


def test_the_judged_figures_are_numbers_beside_the_baseline(describer: Describer) -> None:
    score, figures = describer.judged()
    assert figures["pictures"] == len(score.captions) == 12
    assert figures["exact"] == sum(score.exact)
    assert figures["commonest_caption"] == describer.baseline()[0]
    assert describer.report(score) == Path(describer.folder.report)
