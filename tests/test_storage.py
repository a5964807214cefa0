"""Files of tensors: verified when read, and never half written."""

import os
from pathlib import Path

import pytest
import torch

from unrolled.errors import ReaderError
from unrolled.storage import checksum, load_tensors, save_tensors, write_file


def test_tensors_come_back_bit_for_bit(tmp_path: Path) -> None:
    tensors = {"h": torch.randn(3, 5).T, "step": torch.tensor([2**40])}
    save_tensors(tmp_path / "a" / "state.safetensors", tensors, {"kind": "test"})
    loaded, metadata = load_tensors(tmp_path / "a" / "state.safetensors")
    assert metadata == {"kind": "test"}
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())


def test_a_flipped_bit_is_seen_and_the_tensor_named(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    save_tensors(path, {"h": torch.randn(3, 5), "other": torch.zeros(7)}, {})
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(ReaderError, match=r"tensor '\w+' of .*state.safetensors as it was saved"):
        load_tensors(path)


@pytest.mark.parametrize("keep", [0, 7, 60, -1])
def test_a_truncated_file_is_named(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "state.safetensors"
    save_tensors(path, {"h": torch.randn(3, 5)}, {})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ReaderError, match=r"state\.safetensors"):
        load_tensors(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="nothing there"):
        load_tensors(tmp_path / "none.safetensors")


def test_the_checksum_tells_shapes_and_dtypes_apart() -> None:
    kinds = [torch.zeros(4), torch.zeros(2, 2), torch.zeros(4, dtype=torch.int32)]
    assert len({checksum(tensor) for tensor in kinds}) == 3


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "config.json"
    write_file(path, b"old")

    def disk_full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(OSError, match="No space"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["config.json"]
