"""Features that were computed once are those that were computed, or they are not there."""

from pathlib import Path

import pytest
import torch

from unrolled.errors import ConfigError
from unrolled.readers.feature_cache import FeatureCache, fingerprint_of

FEATURES = torch.arange(2 * 3 * 5, dtype=torch.float32).reshape(2, 3, 5)


def test_what_was_kept_is_there_in_the_next_run(tmp_path: Path) -> None:
    FeatureCache(tmp_path, "network").write(["a", "b"], FEATURES)
    cache = FeatureCache(tmp_path, "network")
    cache.write(["c"], FEATURES[:1] + 1)
    found = [cache.read(name) for name in "bac"]
    expected = [FEATURES[1], FEATURES[0], FEATURES[0] + 1]
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True) if a is not None)
    assert None not in found
    assert cache.read("d") is None


def test_another_network_finds_nothing(tmp_path: Path) -> None:
    FeatureCache(tmp_path, "network").write(["a", "b"], FEATURES)
    assert FeatureCache(tmp_path, "other").read("a") is None


@pytest.mark.parametrize("place", [-1, -70, 20])
def test_what_is_damaged_is_not_there(tmp_path: Path, place: int) -> None:
    FeatureCache(tmp_path, "network").write(["a", "b"], FEATURES)
    path = next(tmp_path.rglob("*.safetensors"))
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    cache = FeatureCache(tmp_path, "network")
    found = [cache.read(name) for name in "ab"]
    whole = [torch.equal(a, b) for a, b in zip(found, FEATURES, strict=True) if a is not None]
    assert all(whole)
    assert None in found
    cache.write(["a", "b"], FEATURES)  # computed again
    assert [torch.equal(cache.read(n), FEATURES[i]) for i, n in enumerate("ab")] == [True, True]


def test_a_file_that_is_cut_off_is_not_there(tmp_path: Path) -> None:
    FeatureCache(tmp_path, "network").write(["a", "b"], FEATURES)
    path = next(tmp_path.rglob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-7])
    assert FeatureCache(tmp_path, "network").read("a") is None
    path.write_bytes(b"")
    assert FeatureCache(tmp_path, "network").read("a") is None


def test_a_fingerprint_sees_weights_and_settings() -> None:
    weights = {"w": torch.ones(3), "b": torch.zeros(2)}
    same = fingerprint_of(dict(reversed(weights.items())), {"height": 64})
    assert fingerprint_of(weights, {"height": 64}) == same
    assert fingerprint_of(weights, {"height": 96}) != same
    assert fingerprint_of(weights | {"b": torch.tensor([0.0, 1e-9])}, {"height": 64}) != same


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="a folder for features"):
        FeatureCache(tmp_path / "file", "network")
