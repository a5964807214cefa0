"""Files of weights: every format is read, and nothing in one can run or fill the memory."""

import os
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.known_weights import KNOWN_WEIGHTS, how_to_get_weights
from unrolled.readers.weights import read_weights

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


class Exploit:
    def __reduce__(self):
        return (os.system, ("touch /tmp/never",))


def write(path: Path) -> Path:
    arrays = {name: tensor.numpy() for name, tensor in TENSORS.items()}
    if path.suffix == ".safetensors":
        save_file(TENSORS, path)
    elif path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name.replace(".", "/")] = array
    else:
        torch.save(TENSORS, path)
    return path


@pytest.mark.parametrize("name", ["w.pth", "w.pt", "w.safetensors", "w.npz", "w.h5"])
def test_every_format_is_read(tmp_path: Path, name: str) -> None:
    found = read_weights(write(tmp_path / name), most_bytes=1000)
    found = {key.replace("/", "."): tensor for key, tensor in found.items()}
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[key], TENSORS[key]) for key in TENSORS)


def test_a_checkpoint_gives_its_weights(tmp_path: Path) -> None:
    path = tmp_path / "run.pth"
    torch.save({"epoch": 7, "state_dict": TENSORS}, path)
    assert read_weights(path, most_bytes=1000).keys() == TENSORS.keys()


def refused(path: Path, words: str, most_bytes: int = 1000) -> None:
    with pytest.raises(ReaderError, match=words) as caught:
        read_weights(path, most_bytes=most_bytes)
    assert "\n" not in str(caught.value)


def test_a_pickle_that_holds_more_than_tensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"a": torch.ones(2), "b": Exploit()}, path)
    refused(path, "system")
    torch.save({"a": torch.ones(2), "b": 5}, path)
    refused(path, "a int as 'b'")
    torch.save([torch.ones(2)], path)
    refused(path, "a list")
    path.write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    refused(path, "tensors alone")


def test_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.npz"
    np.savez(path, a=np.array([Exploit()], dtype=object))
    refused(path, "allow_pickle=False")


def test_what_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, a=np.zeros(10**6, np.float32))
    assert path.stat().st_size < 10**4
    refused(path, "at most 2,000 bytes|at most 1,000 bytes")
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.create_dataset("a", (10**12,), "f4", chunks=(1000,), compression="gzip")
    refused(tmp_path / "bomb.h5", "more than 2,000 bytes")
    torch.save({"a": torch.zeros(10**4)}, tmp_path / "large.pth")
    refused(tmp_path / "large.pth", "4[0-9],[0-9]{3}")


def test_compressed_parts_of_a_pth_are_refused(tmp_path: Path) -> None:
    plain = write(tmp_path / "w.pth")
    packed = zipfile.ZipFile(tmp_path / "z.pth", "w", zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(plain) as source, packed:
        for entry in source.namelist():
            packed.writestr(entry, source.read(entry))
    refused(tmp_path / "z.pth", "compressed", most_bytes=10**6)


def test_links_out_of_a_file_are_refused(tmp_path: Path) -> None:
    other = write(tmp_path / "w.h5")
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["a"] = h5py.ExternalLink(str(other), "a/bias")
    refused(tmp_path / "link.h5", "a link to elsewhere, a")
    with h5py.File(tmp_path / "outside.h5", "w") as file:
        file.create_dataset("a", (2,), "u1", external=[(str(other), 0, 2)])
    refused(tmp_path / "outside.h5", "no plain array of numbers, a")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".npz", ".h5"])
def test_damage_is_one_line(tmp_path: Path, suffix: str) -> None:
    whole = write(tmp_path / f"w{suffix}").read_bytes()
    broken = tmp_path / f"broken{suffix}"
    for data in (b"", whole[: len(whole) // 2], b"\0" * 100):
        broken.write_bytes(data)
        refused(broken, "broken")


def test_endings_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.pth"):
        read_weights(tmp_path / "w.tflite", most_bytes=1)
    refused(tmp_path / "mine.pth", "nothing there")
    refused(
        tmp_path / "vgg16-397923af.pth", "curl -L .*vgg16-397923af.pth https://.*BSD-3|BSD-3.*curl"
    )


def test_the_table_of_known_files() -> None:
    for known in KNOWN_WEIGHTS:
        assert known.url.startswith("https://")
        assert known.url.endswith(known.file)
        assert known.licence
        if known.sha256:
            assert f"-{known.sha256}." in known.file
    assert "resnet50-0676ba61" in how_to_get_weights(Path("w.pth"), "resnet50")
