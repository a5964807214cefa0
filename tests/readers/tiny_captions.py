"""The same tiny data set of captions in every format, with its pictures."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = [f"{name}.png" for name in "abcdefghij"]
PARTS = ["train"] * 6 + ["val"] * 2 + ["test"] * 2


def captions_of(name: str) -> list[str]:
    """Return two references of a picture."""
    return [f"Picture {name[0]} is here.", f"this is {name[0]}"]


def write_pictures(folder: Path, names: list[str] = NAMES) -> None:
    """Write a picture of 20 x 28 for each name, no two alike."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(list(path.name.encode())).integers(
            0, 255, (20, 28, 3), dtype=np.uint8
        )
        Image.fromarray(pixels).save(path)


def coco(names: list[str]) -> str:
    """Return the text of a COCO captions file."""
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    said = [
        {"image_id": number, "id": 2 * number + place, "caption": caption}
        for number, name in enumerate(names)
        for place, caption in enumerate(captions_of(name))
    ]
    return json.dumps({"info": {}, "licenses": [], "images": images, "annotations": said})


def write_coco(folder: Path, year: int) -> Path:
    """Write COCO's folder: train and val, 8 and 2 pictures."""
    for part, names in (("train", NAMES[:8]), ("val", NAMES[8:])):
        write_pictures(folder / f"{part}{year}", names)
        path = folder / "annotations" / f"captions_{part}{year}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(coco(names))
    return folder


def karpathy_entry(name: str, part: str, **more: object) -> dict[str, object]:
    """Return an image of Karpathy's format."""
    sentences = [{"raw": said, "tokens": said.lower().split()} for said in captions_of(name)]
    return {"filename": name, "split": part, "sentences": sentences, **more}


def write_karpathy(folder: Path, dataset: str) -> Path:
    """Write ``dataset_flickr8k.json`` or the like, and its pictures."""
    if dataset == "coco":
        where = ["train2014" if part == "train" else "val2014" for part in PARTS]
        write_pictures(folder, [f"{w}/{n}" for w, n in zip(where, NAMES, strict=True)])
        entries = [
            karpathy_entry(n, p, filepath=w) for n, p, w in zip(NAMES, PARTS, where, strict=True)
        ]
        entries[1]["split"] = "restval"
    else:
        write_pictures(folder / {"flickr8k": "Flicker8k_Dataset"}.get(dataset, "flickr30k-images"))
        entries = [karpathy_entry(n, p) for n, p in zip(NAMES, PARTS, strict=True)]
    text = json.dumps({"dataset": dataset, "images": entries})
    (folder / f"dataset_{dataset}.json").write_text(text)
    return folder


def write_flickr(folder: Path) -> Path:
    """Write Flickr8k's token file, its three lists, and the pictures."""
    write_pictures(folder / "Flicker8k_Dataset")
    lines = [f"{n}#{k}\t{said}\n" for n in NAMES for k, said in enumerate(captions_of(n))]
    (folder / "Flickr8k.token.txt").write_text("".join(lines))
    for part, written in (("train", "train"), ("val", "dev"), ("test", "test")):
        listed = [n for n, p in zip(NAMES, PARTS, strict=True) if p == part]
        (folder / f"Flickr_8k.{written}Images.txt").write_text("\n".join(listed) + "\n")
    return folder


def write_csv(folder: Path) -> Path:
    """Write ``captions.csv`` and the pictures beside it."""
    write_pictures(folder)
    rows = [f'{n},"{said}"\n' for n in NAMES for said in captions_of(n)]
    (folder / "captions.csv").write_text("image,caption\n" + "".join(rows))
    return folder
