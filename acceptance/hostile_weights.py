"""Files of weights made to do harm, for ``hostile_files``: every format that convert reads."""

import io
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from safetensors.torch import save_file

from unrolled.encoders import PlainCNN
from unrolled.readers.weights import read_weights
from unrolled.tasks.conversion import convert

WEIGHTS = ("weights/net.pth", "weights/net.safetensors", "weights/net.npz", "weights/net.h5")


def make_good_weights(folder: Path) -> None:
    """Write one good file of every format, and read each once, so that all is imported."""
    state = PlainCNN(class_count=3).state_dict()
    home = folder / "weights"
    home.mkdir()
    (home / "names.txt").write_text("one\ntwo\nthree\n")
    torch.save(state, folder / WEIGHTS[0])
    save_file(state, folder / WEIGHTS[1])
    np.savez(folder / WEIGHTS[2], **{key: tensor.numpy() for key, tensor in state.items()})
    with h5py.File(folder / WEIGHTS[3], "w") as file:
        for key, tensor in state.items():
            file[key] = tensor.numpy()
    for number, target in enumerate(WEIGHTS):
        read_weights(folder / target, most_bytes=10**8)
        convert_weights(folder, target, f"warm {number}")


def convert_weights(folder: Path, target: str, out: str = "converted") -> object:
    """Make a model folder of a file."""
    names = folder / "weights" / "names.txt"
    return convert(folder / target, "plain_cnn", folder / out, class_names=names)


def is_our_own_reader(event: str, arguments: tuple[Any, ...]) -> bool:
    """Tell the process that reads HDF5 from any other program."""
    return event == "subprocess.Popen" and any(
        str(part).endswith("unrolled/readers/_hdf5_process.py") for part in arguments[1]
    )


def weight_attacks(original: bytes, target: str, exploit: object) -> dict[str, bytes]:
    """Return files that run something, reach elsewhere, or unpack to more than they say."""
    evil = io.BytesIO()
    torch.save({"w": torch.ones(2), "evil": exploit}, evil)
    objects = io.BytesIO()
    np.savez(objects, w=np.array([exploit], dtype=object))
    header = io.BytesIO()
    np.save(header, np.zeros(2, np.float32))
    lying = io.BytesIO()
    with zipfile.ZipFile(lying, "w") as archive:
        archive.writestr("w.npy", header.getvalue().replace(b"(2,)", b"(2" + b"0" * 11 + b",)"))
    return {
        "torch.save of a program": evil.getvalue(),
        "arrays of objects": objects.getvalue(),
        "200 MB in 200 KB": _bomb("w.npy"),
        "a shape that lies": lying.getvalue(),
        "compressed parts": _bomb("archive/data/0"),
        "text": b"weights",
        "half": original[: len(original) // 2],
        **(_hdf5_attacks() if target.endswith(".h5") else {}),
    }


@cache
def _bomb(name: str) -> bytes:
    """Pack 200 MB of nothing, piece by piece: making it must not need them either."""
    head, memory = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "|u1", "fortran_order": False, "shape": (200 * 2**20,)}
    )
    archive = zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open(name, "w") as part:
        part.write(head.getvalue())
        for _ in range(200):
            part.write(b"\0" * 2**20)
    return memory.getvalue()


@cache
def _hdf5_attacks() -> dict[str, bytes]:
    def made(write: Any) -> bytes:
        memory = io.BytesIO()
        with h5py.File(memory, "w") as file:
            write(file)
        return memory.getvalue()

    def loop(file: Any) -> None:
        group = file.create_group("a")
        group["b"] = group

    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "w", (2,))
    return {
        "a link to another file": made(
            lambda file: file.__setitem__("w", h5py.ExternalLink("/etc/hostname", "w"))
        ),
        "numbers of another file": made(
            lambda file: file.create_dataset("w", (2,), "u1", external=[("/etc/hostname", 0, 2)])
        ),
        "a virtual array": made(lambda file: file.create_virtual_dataset("w", layout)),
        "10^15 numbers": made(
            lambda file: file.create_dataset("w", (10**15,), "f4", chunks=(10**6,))
        ),
        "a group in itself": made(loop),
        "words": made(lambda file: file.__setitem__("w", "words")),
    }
