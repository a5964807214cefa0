"""From a file of weights to a model folder that labels pictures at once."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from unrolled.cli import main
from unrolled.encoders import SqueezeNet11
from unrolled.errors import NumericsError
from unrolled.tasks.conversion import convert
from unrolled.tasks.video.model import VideoModel

NAMES = [f"class {number}" for number in range(7)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    torch.save(SqueezeNet11(class_count=7).state_dict(), folder / "small.pth")
    (folder / "names.txt").write_text("\n".join(NAMES) + "\n")
    return folder


def test_a_converted_model_labels_a_picture_at_once(weights: Path, tmp_path: Path, capsys) -> None:
    arguments = ["--to", "squeezenet1_1", "--classes", str(weights / "names.txt")]
    command = ["convert", str(weights / "small.pth"), *arguments, "--out", str(tmp_path / "model")]
    assert main([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["network"], said["classes"]) == ("squeezenet1_1", 7)
    assert main(command) == 2, "a folder in use is not written"
    assert "one in use" in capsys.readouterr().err

    model = VideoModel.load(tmp_path / "model")
    assert list(model.class_names) == NAMES
    direct = SqueezeNet11(class_count=7).eval()
    direct.load_state_dict(torch.load(weights / "small.pth", weights_only=True))
    pixels = torch.randint(256, (1, 3, 256, 300), dtype=torch.uint8)
    x = model.preprocessing(pixels)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    deviation = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    by_hand = (pixels[:, :, 16:240, 38:262] / 255 - mean) / deviation
    torch.testing.assert_close(x, by_hand)
    with torch.no_grad():
        assert torch.equal(model.network(x), direct(x))

    picture = np.random.default_rng(0).integers(256, size=(60, 80, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "photo.png")
    assert main(["predict", str(tmp_path / "model"), str(tmp_path / "photo.png")]) == 0
    assert "class " in capsys.readouterr().out


def test_an_inflated_model_says_of_a_still_clip_what_it_said_of_the_picture(
    weights: Path, tmp_path: Path, capsys
) -> None:
    command = ["convert", str(weights / "small.pth"), "--to", "squeezenet1_1", "--inflate"]
    command += ["--classes", str(weights / "names.txt"), "--out", str(tmp_path / "model")]
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["network"] == "inflated"
    model = VideoModel.load(tmp_path / "model")
    assert (model.clip_frames, list(model.class_names)) == (16, NAMES)
    direct = SqueezeNet11(class_count=7).eval()
    direct.load_state_dict(torch.load(weights / "small.pth", weights_only=True))
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        y = model.network(x[:, None].expand(2, 5, 3, 64, 64))
        assert torch.allclose(y, direct(x), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["{w}/clips.pth", "--to", "mc3_18", "--inflate"],
            "over pictures to inflate, got 'mc3_18'",
        ),
        (["{w}/small.pth", "--to", "squeezenet1_1"], "names for the 7 classes"),
        (["{w}/small.pth", "--to", "resnet18"], "which resnet18 has, got no such tensor"),
        (["{w}/small.pth", "--to", "lstm"], "a network over pictures or clips"),
        (["{w}/small.pth", "--to", "squeezenet"], "did you mean squeezenet1_1?"),
        (["{w}/names.txt", "--to", "squeezenet1_1"], "a file of weights that ends in .pth"),
        (["{w}/mine.pth", "--to", "vgg16"], "curl -L --create-dirs -o "),
        (["{w}", "--to", "squeezenet1_1"], "a file of weights"),
    ],
)
def test_what_cannot_be_converted_is_one_line(weights, tmp_path, capsys, arguments, words) -> None:
    filled = [argument.format(w=weights) for argument in arguments]
    assert main(["convert", *filled, "--out", str(tmp_path / "model")]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert captured.out == ""
    assert not (tmp_path / "model").exists()


def test_weights_that_are_no_numbers_are_refused(weights: Path, tmp_path: Path) -> None:
    state = torch.load(weights / "small.pth", weights_only=True)
    state["features.0.bias"][3] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    names = weights / "names.txt"
    with pytest.raises(NumericsError, match=r"finite weights in features\.0\.bias"):
        convert(tmp_path / "nan.pth", "squeezenet1_1", tmp_path / "m", class_names=names)


def test_a_file_that_is_not_the_published_one_is_told(weights: Path, tmp_path: Path) -> None:
    copy = tmp_path / "squeezenet1_1-b8a52dc0.pth"
    copy.write_bytes((weights / "small.pth").read_bytes())
    done = convert(copy, "squeezenet1_1", tmp_path / "m", class_names=weights / "names.txt")
    assert "not the published file" in done.notes[0]
