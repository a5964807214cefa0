"""Names, shapes and answers are torchvision's, as version 0.28.0 gave them on the same numbers.

The logits of s3d are those of its parts ``features`` and ``classifier``, maps averaged between
them, because torchvision's whole network takes no clips as small as the one here.
"""

import json
from pathlib import Path

import pytest
import torch

import unrolled
from tests.encoders.patterned import fill, fingerprint, pattern

FACTS = json.loads((Path(__file__).parent / "torchvision.json").read_text())["networks"]


@pytest.mark.parametrize("name", FACTS)
def test_names_and_shapes_of_the_state_dict(name: str) -> None:
    with torch.device("meta"):
        network = unrolled.build(name)
    state = network.state_dict()
    assert len(state) == FACTS[name]["tensors"]
    assert fingerprint(state) == FACTS[name]["sha256"]


@pytest.mark.parametrize("name", [name for name, fact in FACTS.items() if "input" in fact])
def test_logits(name: str) -> None:
    with torch.device("meta"):
        network = unrolled.build(name)
    network = network.to_empty(device="cpu").eval()
    fill(network.state_dict())
    with torch.no_grad():
        logits = network(pattern(5, *FACTS[name]["input"]))[0]
    expected = torch.tensor(FACTS[name]["first_logits"])
    norm = torch.tensor(FACTS[name]["norm"])
    largest = float(logits.abs().max())
    torch.testing.assert_close(logits[: len(expected)], expected, rtol=0, atol=1e-5 * largest)
    torch.testing.assert_close(logits.norm(), norm, rtol=1e-5, atol=0)


def test_the_fingerprint_sees_a_name_a_shape_and_the_order() -> None:
    state = {"a": torch.zeros(2, 3), "b": torch.zeros(5)}
    others = [{"a": state["a"], "c": state["b"]}, {"a": torch.zeros(3, 2), "b": state["b"]}]
    for other in (*others, dict(reversed(state.items()))):
        assert fingerprint(other) != fingerprint(state)
