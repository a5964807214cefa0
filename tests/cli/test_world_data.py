"""The embedded world as the data of the language task."""

import json

from unrolled.cli import main


def test_the_world_is_learnt_from_and_evaluated(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--set", "model.hidden_size=8", "--max-steps", "3", "--out", "run", "--json"]
    assert main(["train", "language", "--data", "world", *options]) == 0
    learnt = json.loads(capsys.readouterr().out)
    assert learnt["steps"] == 3
    assert main(["evaluate", "run", "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    assert (scored["part"], scored["data"]) == ("held-out", "world")
    assert scored["seen_in_training"] == 0
