"""What was computed once is not computed again, unless it should be."""

from pathlib import Path

import pytest
import torch

from unrolled.errors import ConfigError
from unrolled.readers import tensor_cache
from unrolled.readers.tensor_cache import Kept, TensorCache, fingerprint_of


def clip(number: int) -> Kept:
    frames = torch.arange(number, number + 24, dtype=torch.uint8).view(2, 3, 2, 2)
    return Kept(frames, (f"frame {number} is missing",))


def same(one: Kept | None, other: Kept) -> bool:
    return one is not None and torch.equal(one.tensor, other.tensor) and one.damage == other.damage


@pytest.mark.parametrize("folder", [None, "kept"])
def test_what_is_kept_is_what_was_given(tmp_path: Path, folder: str | None) -> None:
    cache = TensorCache(None if folder is None else tmp_path / folder)
    for number in range(3):
        assert cache.find(f"{number}") is None
        cache.keep(f"{number}", clip(number))
    for number in range(3):
        for _ in range(2):
            assert same(cache.find(f"{number}"), clip(number))
    assert cache.homeless == 0


def test_another_run_finds_what_is_in_the_folder(tmp_path: Path) -> None:
    TensorCache(tmp_path).keep("a", clip(1))
    cache = TensorCache(tmp_path)
    for _ in range(2):  # the first verifies, the second maps
        assert same(cache.find("a"), clip(1))
    assert cache.find("b") is None


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "remove"])
def test_what_is_damaged_in_the_folder_is_not_found(tmp_path: Path, harm: str) -> None:
    TensorCache(tmp_path).keep("a", clip(1))
    (kept,) = tmp_path.rglob("*.safetensors")
    data = bytearray(kept.read_bytes())
    data[-1] ^= 1
    kept.write_bytes({"flip": data, "cut": data[:50]}.get(harm, b""))
    if harm == "remove":
        kept.unlink()
    cache = TensorCache(tmp_path)
    assert cache.find("a") is None
    cache.keep("a", clip(1))
    assert same(TensorCache(tmp_path).find("a"), clip(1))


def test_a_file_that_goes_while_it_is_in_use_is_not_found(tmp_path: Path) -> None:
    cache = TensorCache(tmp_path)
    cache.keep("a", clip(1))
    (kept,) = tmp_path.rglob("*.safetensors")
    kept.unlink()
    assert cache.find("a") is None


def test_memory_has_a_bound_and_what_came_first_stays() -> None:
    cache = TensorCache(most_bytes=2 * 24 + 5)
    for number in range(4):
        cache.keep(f"{number}", clip(number))
    assert [cache.find(f"{number}") is None for number in range(4)] == [False, False, True, True]
    assert cache.homeless == 2


def test_a_view_does_not_keep_what_it_was_cut_from() -> None:
    whole, cache = torch.zeros(100, 3, dtype=torch.uint8), TensorCache()
    cache.keep("a", Kept(whole[:2]))
    assert cache.find("a").tensor.untyped_storage().nbytes() == 6


def test_a_folder_that_cannot_be_is_one_line_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"a folder for the cache at .*file, got .*--cache"):
        TensorCache(tmp_path / "file")


def test_a_folder_without_room_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    cache = TensorCache(tmp_path)
    monkeypatch.setattr(tensor_cache, "save_tensors", full)
    with pytest.raises(ConfigError, match="No space left on device; make room"):
        cache.keep("a", clip(1))


def test_a_fingerprint_sees_weights_and_settings() -> None:
    weights = {"w": torch.ones(3), "b": torch.zeros(2)}
    same = fingerprint_of(dict(reversed(weights.items())), {"height": 64})
    assert fingerprint_of(weights, {"height": 64}) == same
    assert fingerprint_of(weights, {"height": 96}) != same
    assert fingerprint_of(weights | {"b": torch.tensor([0.0, 1e-9])}, {"height": 64}) != same
