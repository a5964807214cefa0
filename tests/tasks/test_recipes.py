"""Recipes: each can be read, says what it reads, and asks for what exists."""

import re
from pathlib import Path

import pytest
import torch

from unrolled.errors import ReaderError
from unrolled.tasks.captioning.configuration import CAPTIONING_CONFIGURATION
from unrolled.tasks.captioning.networks import build_captioner, captioner_options
from unrolled.tasks.language.configuration import LANGUAGE_CONFIGURATION
from unrolled.tasks.language.networks import build_language_network, network_options
from unrolled.tasks.recipes import find_configuration, recipes
from unrolled.tasks.video.configuration import VIDEO_CONFIGURATION
from unrolled.tasks.video.networks import build_video_network


def task_of(name: str) -> str:
    (line,) = re.findall(r"^task: (\w+)$", find_configuration(name).read_text(), flags=re.M)
    return line


@pytest.mark.parametrize("name", [name for name in recipes() if task_of(name) == "language"])
def test_every_recipe_is_sound(name: str) -> None:
    found = LANGUAGE_CONFIGURATION.read(find_configuration(name))
    for section, kind in LANGUAGE_CONFIGURATION.sections.items():
        kind(**found.get(section, {}))
    assert found["options"].keys() <= network_options(found["model"]).keys()
    build_language_network(found["model"], 11, found["options"])
    assert found["data"].startswith(("$UNROLLED_DATA/", "/usr/include/"))
    folder = found["data"].split("/*")[0].rpartition("/input")[0] or found["data"]
    assert recipes()[name].split("; reads ")[1] in folder or "**" in found["data"]


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("basketball_actions", (7, 3, 64, 40)),
        ("hand_point_history", (16, 2)),
        ("mmwave_gesture", (64, 128)),
    ],
)
def test_a_recipe_of_clips_is_sound(name: str, clip: tuple[int, ...]) -> None:
    found = VIDEO_CONFIGURATION.read(find_configuration(name))
    reading = VIDEO_CONFIGURATION.sections["reading"](**found["reading"])
    VIDEO_CONFIGURATION.sections["training"](**found["training"])
    build_video_network(found["model"], 5, found.get("options", {}), clip)
    assert reading.clip_frames == clip[0]
    assert found["data"] == recipes()[name].split("; reads ")[1]


def test_the_recipe_of_the_motion_world_is_sound() -> None:
    found = VIDEO_CONFIGURATION.read(find_configuration("motion_world"))
    for section, kind in VIDEO_CONFIGURATION.sections.items():
        kind(**found.get(section, {}))
    assert found["data"] == "world"
    network = build_video_network(found["model"], 8, found["options"], (16, 3, 32, 32))
    assert network.class_count == 8


@pytest.mark.parametrize("name", [name for name in recipes() if task_of(name) == "captioning"])
def test_a_recipe_of_captions_is_sound(name: str) -> None:
    found = CAPTIONING_CONFIGURATION.read(find_configuration(name))
    sections = CAPTIONING_CONFIGURATION.sections
    made = {key: kind(**found.get(key, {})) for key, kind in sections.items()}
    encoder = made["describing"].encoder
    assert found.get("options", {}).keys() <= captioner_options(found["model"], encoder).keys()
    with torch.device("meta"):
        network = build_captioner(found["model"], encoder, 11, found.get("options", {}))
    reading = made["reading"]
    assert min(reading.height, reading.width) >= network.encoder.smallest
    assert found["data"] == recipes()[name].split("; reads ")[1]


def test_the_small_network_of_zaremba_is_the_papers() -> None:
    found = LANGUAGE_CONFIGURATION.read(find_configuration("ptb_small"))
    network = build_language_network("lstm", 10_000, found["options"])
    # Embedding, two LSTMs with two biases, scores: by hand.
    by_hand = 10_000 * 200 + 2 * (4 * 200 * (200 + 200) + 2 * 4 * 200) + 10_000 * 201
    assert sum(parameter.numel() for parameter in network.parameters()) == by_hand
    training = found["training"]
    assert training["learning_rate"] / training["window"] == 1
    assert training["clip_norm"] * training["window"] == 5


def test_a_file_goes_before_a_recipe_of_its_name(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_configuration("ptb_small").parent.name == "recipes"
    Path("ptb_small").write_text("model: gru\n")
    assert find_configuration("ptb_small") == Path("ptb_small")
    with pytest.raises(ReaderError, match="did you mean nietzsche"):
        find_configuration("nietsche")
