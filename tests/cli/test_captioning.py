"""The verbs over captions, through real command lines, tiny pictures and the embedded scenes."""

import contextlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.reports.short import shorten_reports
from unrolled.cli import main
from unrolled.metrics import read_coco_results
from unrolled.training.plain_yaml import read_yaml
from unrolled.world import SceneWorld

SIZES = ["--height", "32", "--width", "32"]
QUICK = [*SIZES, "--max-steps", "2", "--batch-size", "4", "--threads", "1"]
NETWORK = ["--set", "model.hidden_size=5", "--set", "model.encoder.width=2"]
WORLD = ["--data", "world", "--scenes", "20"]
BOXES = "objects"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("unrolled.reports.curves.find_spec", lambda _: None)


def run(*arguments: str) -> int:
    return main(list(arguments))


def train(*options: str, data: list[str] = WORLD, out: str = "run") -> int:
    return run("train", "captioning", *data, "--out", out, *QUICK, *NETWORK, *options)


def photographs(count: int = 12) -> list[str]:
    """Write scenes as pictures, and their captions as Karpathy's JSON with objects."""
    world, images = SceneWorld(seed=3, height=40, width=48), []
    Path("photos").mkdir()
    for number in range(count):
        scene = world.scene(number)
        Image.fromarray(scene.pixels.transpose(1, 2, 0)).save(f"photos/{number}.png")
        images.append(
            {
                "filename": f"{number}.png",
                "split": ("train", "train", "val", "test")[number % 4],
                "sentences": [{"raw": caption} for caption in scene.captions],
                BOXES: [{"name": o.noun, "box": list(o.box)} for o in scene.objects],
            }
        )
    Path("captions.json").write_text(json.dumps({"images": images}))
    return ["--data", "captions.json", "--images", "photos"]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run of a model that has seen scenes, and what training printed."""
    folder = tmp_path_factory.mktemp("learnt") / "run"
    with (
        io.StringIO() as printed,
        contextlib.redirect_stdout(printed),
        pytest.MonkeyPatch.context() as patched,
    ):
        shorten_reports(patched)
        assert train(out=str(folder)) == 0
        (folder / "printed.txt").write_text(printed.getvalue())
    return folder


def test_a_file_of_captions_becomes_a_model_that_is_used(capsys) -> None:
    assert train("--json", data=photographs()) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["used"], found["rejected"], found["total"]) == (12, 0, 12)
    assert (found["part"], found["pictures"]) == ("test", 3)
    assert "http" not in Path("run/report.html").read_text().replace("http://www.w3.org", "")
    assert run("evaluate", "run", "--results", "said.json", "--json") == 0
    score = json.loads(capsys.readouterr().out)
    assert (score["part"], score["used"], score["total"]) == ("held-out", 3, 3)
    for figure in ("cider_d", "exact_match", "nats_per_word"):
        assert score[figure] == pytest.approx(found[figure])
    assert set(read_coco_results(Path("said.json"))) == {"3.png", "7.png", "11.png"}
    assert run("evaluate", "run", "--part", "all") == 0
    assert "12 used + 0 rejected = 12" in capsys.readouterr().out


def test_a_caption_comes_with_its_probability_and_where_the_model_looked(
    learnt: Path, capsys
) -> None:
    shutil.copytree(learnt, "run")
    photographs()
    assert run("predict", "run", "photos/0.png", "--beam", "3", "--json") == 0
    (prediction,) = json.loads(capsys.readouterr().out)["predictions"]
    assert len(prediction["captions"]) == 3
    for caption in prediction["captions"]:
        words, end = caption["log_probabilities"], caption["end_log_probability"]
        assert caption["log_probability"] == pytest.approx(sum(words) + (end or 0))
        assert caption["probability"] == pytest.approx(np.exp(caption["log_probability"]))
        assert len(caption["words"]) == len(words) == len(caption["attention"])
        assert caption["grid"] == [4, 4]
        np.testing.assert_allclose(np.sum(caption["attention"], axis=1), 1, rtol=1e-5)
    for name in ("looked.png", "looked.gif"):
        assert run("predict", "run", "photos/0.png", "--attention", name) == 0
        with Image.open(name) as picture:
            assert picture.format == Path(name).suffix[1:].upper()
    capsys.readouterr()
    assert run("predict", "run", "photos/0.png", "photos/none.png", "world:7") == 2
    captured = capsys.readouterr()
    assert "photos/none.png" in captured.err
    assert "world:7" in captured.out


def test_a_run_is_repeated_by_its_configuration(learnt: Path) -> None:
    shutil.copytree(learnt, "run")
    assert "pictures: 20 used + 0 rejected = 20" in Path("run/printed.txt").read_text()
    before = Path("run/model/model.safetensors").read_bytes()
    assert run("train", "captioning", "--config", "run/config.yaml", "--out", "again") == 0
    assert Path("again/model/model.safetensors").read_bytes() == before
    again, first = (read_yaml(Path(f"{name}/config.yaml")).plain() for name in ("again", "run"))
    assert again == first


def test_other_pictures_are_scored_without_those_that_were_learnt_from(
    learnt: Path, capsys
) -> None:
    shutil.copytree(learnt, "run")
    assert run("evaluate", "run", *photographs(), "--json") == 0
    score = json.loads(capsys.readouterr().out)
    assert (score["part"], score["used"], score["seen_in_training"]) == ("all", 12, 0)
    assert score["diversity"]["copied_share"] is None  # what was learnt from is not among it


@pytest.mark.parametrize("model", ["s2vt", "temporal_attention"])
def test_films_are_described_too(model: str, capsys) -> None:
    options = ["--model", model, "--frames", "3", "--set", "model.hidden_size=5"]
    command = ["train", "captioning", *WORLD, "--out", "run", *QUICK, *options]
    assert run(*command, "--set", "model.encoder.width=2", "--json") == 0
    assert json.loads(capsys.readouterr().out)["used"] == 20
    assert run("predict", "run", "world:3") == 0
    assert "%" in capsys.readouterr().out
    assert run("evaluate", "run") == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "nowhere.json"], "nowhere.json"),
        ([*WORLD, "--model", "show_attend_tel"], "did you mean show_attend_tell"),
        ([*WORLD, "--model", "lstm"], "a model that describes pictures or films"),
        ([*WORLD, "--encoder", "c3d"], "an --encoder over pictures"),
        (
            [*WORLD, "--set", "model.encoder.depth=6", "--set", "model.encoder.pooled=6"],
            "pictures of at least 64 pixels",
        ),
        ([*WORLD, "--freeze"], "--weights with --freeze"),
        ([*WORLD, "--weights", "w.pth", "--finetune-after", "0"], "finetune_after of at least 1"),
        ([*WORLD, "--weights", "w.pth"], "weights at w.pth"),
        ([*WORLD, "--set", "model.hidden_sise=5"], "did you mean hidden_size"),
        ([*WORLD, "--set", "model.encoder.widht=5"], "did you mean width"),
        ([*WORLD, "--window", "8"], "no --window"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(capsys, arguments: list[str], words: str) -> None:
    quick = [word for word in QUICK if "--height" not in arguments or word not in SIZES]
    assert run("train", "captioning", *arguments, *quick, "--out", "run") == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert captured.out == ""
    assert not Path("run").exists()


def test_what_a_model_cannot_do_is_one_line(capsys) -> None:
    assert train("--model", "show_and_tell") == 0
    capsys.readouterr()
    mistakes = {
        ("world:1", "--attention", "a.png"): "a model that looks somewhere",
        ("world:1", "--beam", "0"): "a beam of at least 1",
        (): "pictures to describe",
    }
    for arguments, words in mistakes.items():
        assert run("predict", "run", *arguments) == 2
        assert words in capsys.readouterr().err
    shutil.copytree("run/model", "moved")
    Path("moved/vocabulary.json").unlink()
    assert run("predict", "moved", "world:1") == 2
    line = capsys.readouterr().err.strip()
    assert "expected a vocabulary at moved/vocabulary.json" in line
    assert len(line.splitlines()) == 1


def test_captioners_are_compared_and_what_is_done_is_kept(capsys, monkeypatch) -> None:
    models = "show_attend_tell,show_and_tell"
    command = ["compare", "captioning", *WORLD, "--models", models, "--seeds", "1", *QUICK]
    command += ["--set", "show_attend_tell.hidden_size=7", "--equal-parameters", "--out", "cmp"]
    assert run(*command, "--json") == 0
    attends, tells = json.loads(capsys.readouterr().out)["models"]
    assert attends["hidden_size"] == 7
    assert abs(tells["parameters"] / attends["parameters"] - 1) < 0.02
    monkeypatch.setattr("unrolled.tasks.captioning.comparison.begin", None)  # none is run again
    assert run(*command, "--format", "markdown") == 0
    assert "| show_and_tell |" in capsys.readouterr().out
    assert run(*command, "--seed", "5") == 2  # another comparison
    assert "comparison" in capsys.readouterr().err
    both = ["--models", "show_and_tell,s2vt", "--seeds", "1", *QUICK]
    assert run("compare", "captioning", *WORLD, *both) == 2
    assert "models that all take pictures, or all films" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["train", "compare"])
def test_a_verb_does_not_show_what_it_refuses(verb: str, capsys) -> None:
    assert main([verb, "video", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(flag in shown for flag in ("--window", "--backward-steps", "--carry-state"))
    assert main([verb, "captioning", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--batch-size" in shown
    assert not any(flag in shown for flag in ("--window", "--backward-steps", "carry-state"))


@pytest.mark.parametrize(
    "flags", [["--window", "3"], ["--window=3"], ["--backward-steps", "64"], ["--no-carry-state"]]
)
def test_what_is_not_shown_is_refused_in_a_line(flags: list[str], capsys) -> None:
    assert main(["train", "captioning", "--data", "world", *flags]) == 2
    error = capsys.readouterr().err
    assert "since captions are learnt whole" in error
    assert error.count("\n") == 1
