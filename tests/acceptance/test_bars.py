"""The slow proofs in a small form: each holds, was exercised, and fails its broken twin."""

import json

import pytest

from tests import forked

SMALL_FORMS = {
    "kill_resume": ["--kills", "12", "--steps", "64"],
    "bit_rot": ["--scale", "0.05"],
    "bad_numbers": ["--injections", "16"],
    "hostile_files": ["--files", "66"],
    "endless_stream": ["--frames", "1500", "--families", "recurrent"],
    "hostile_video": ["--truncations", "16", "--mutations", "48"],
}


@pytest.mark.parametrize("bar", SMALL_FORMS)
def test_the_bar_holds(bar: str) -> None:
    done = forked.run("-m", f"acceptance.{bar}", *SMALL_FORMS[bar], folder=forked.ROOT)
    verdict = json.loads(done.stdout)
    assert verdict["failures"] == 0, done.stderr
    assert verdict["control_failed"], verdict
    assert verdict["exercised"], verdict
    assert done.returncode == 0
