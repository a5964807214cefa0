"""A frozen encoder looks at every picture once, in all runs together, and gives the same."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from unrolled.encoders import PlainCNN
from unrolled.models import PictureCaptioner, ShowAttendTell
from unrolled.readers.tensor_cache import TensorCache
from unrolled.tasks.captioning import learner as captioning_learner
from unrolled.tasks.captioning.learner import CaptionLearner, Pictures
from unrolled.tasks.video.preprocessing import Preprocessing

KEYS = [f"picture {number}" for number in range(40)]


def learner() -> CaptionLearner:
    torch.manual_seed(0)
    encoder = PlainCNN(class_count=2, width=2, depth=2)
    sizes = {"embedding_size": 3, "hidden_size": 5, "attention_size": 2}
    captioner = PictureCaptioner(encoder, ShowAttendTell(7, encoder.feature_size, **sizes))
    captioner.frozen = True
    return CaptionLearner(captioner, Preprocessing(16, 20))


def pixels(number: int) -> Tensor:
    draws = torch.Generator().manual_seed(number)
    return torch.randint(0, 255, (3, 16, 20), generator=draws, dtype=torch.uint8)


def never(number: int) -> Tensor:
    raise AssertionError(f"picture {number} was looked at again")


@pytest.mark.parametrize("most_bytes", [1 << 30, 1])  # kept in memory, or read from disk each time
def test_a_cached_run_equals_one_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_bytes: int
) -> None:
    plain = Pictures(learner(), pixels, range(40))
    wanted = [3, 39, 17, 3]
    expected = plain.batch(wanted)
    monkeypatch.setattr(captioning_learner, "_MOST_BYTES", most_bytes)
    first = Pictures(learner(), pixels, range(40), cache=TensorCache(tmp_path), keys=KEYS)
    torch.testing.assert_close(first.batch(wanted), expected, rtol=1e-6, atol=1e-6)
    if most_bytes > 1:
        assert torch.equal(first.batch(wanted), expected)
        again = TensorCache(tmp_path)
        second = Pictures(learner(), never, range(40), cache=again, keys=KEYS)
        assert torch.equal(second.batch(wanted), expected)


def test_an_encoder_that_learns_is_never_cached(tmp_path: Path) -> None:
    learning = learner()
    learning.captioner.frozen = False
    cache = TensorCache(tmp_path)
    shown = Pictures(learning, pixels, range(40), cache=cache, keys=KEYS).batch([5])
    assert torch.equal(shown[0], pixels(5))
    assert cache.find(KEYS[5]) is None
