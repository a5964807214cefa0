"""The windowed transformer against torch's encoder layer, and as a stream."""

import pytest
import torch
from torch import nn

from unrolled.errors import ConfigError
from unrolled.models import CausalTransformerLanguageModel
from unrolled.streaming import Stream

BLOCK = {  # torch's names, and the place of ours inside the two residuals of a block
    "norm1.": "0.layer.0.",
    "self_attn.": "0.layer.1.",
    "norm2.": "1.layer.0.",
    "linear1.": "1.layer.1.",
    "linear2.": "1.layer.3.",
}


def model_of(num_layers: int, window: int) -> CausalTransformerLanguageModel:
    return CausalTransformerLanguageModel(
        11, embed_dim=6, num_heads=2, num_layers=num_layers, window=window
    ).double()


def torchs(model: CausalTransformerLanguageModel, number: int) -> nn.TransformerEncoderLayer:
    """Return torch's pre-norm layer with the weights of block ``number``."""
    layer = nn.TransformerEncoderLayer(
        6, 2, 24, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).double()
    ours = model.state_dict()
    names = {}
    for name in layer.state_dict():
        (head,) = (head for head in BLOCK if name.startswith(head))
        place, _, rest = (BLOCK[head] + name.removeprefix(head)).partition(".")
        names[name] = f"{1 + 2 * number + int(place)}.{rest.replace('out_proj.', 'out_proj_')}"
    layer.load_state_dict({name: ours[place] for name, place in names.items()})
    return layer


@pytest.mark.parametrize("window", [1, 3, 19])
def test_without_lag_biases_a_block_is_torchs_under_a_band(window: int) -> None:
    model = model_of(num_layers=2, window=window)
    tokens = torch.randint(11, (2, 13))
    lag = torch.arange(13)[:, None] - torch.arange(13)
    hidden = model.layers[0](tokens)[0]
    for number in range(2):
        hidden = torchs(model, number)(hidden, src_mask=(lag < 0) | (lag >= window))
    expected = model.layers[-1](model.layers[-2](hidden)[0])[0]
    assert (model(tokens)[0] - expected).abs().max() <= 1e-12


def test_it_sees_as_far_back_as_it_says() -> None:
    model = model_of(num_layers=2, window=3)
    tokens = torch.randint(1, 11, (1, 9))
    expected, _ = model(tokens)
    assert model.receptive_field == 5
    for back in range(9):
        other = tokens.clone()
        other[0, -1 - back] = 0
        changed = bool((model(other)[0][0, -1] != expected[0, -1]).any())
        assert changed == (back < 5), back


def test_the_order_of_tokens_matters_by_the_lag_biases_alone() -> None:
    model, tokens = model_of(num_layers=1, window=5), torch.tensor([[3, 1, 4], [1, 3, 4]])
    y, _ = model(tokens)
    assert (y[0, -1] - y[1, -1]).abs().max() <= 1e-12
    nn.init.normal_(model.layers[1].layer.layers[1].lag_bias)
    y, _ = model(tokens)
    assert (y[0, -1] - y[1, -1]).abs().max() > 1e-3


def test_a_stream_of_any_length_gives_what_the_whole_gives() -> None:
    model = model_of(num_layers=2, window=4).eval()
    tokens = torch.randint(11, (2, 50))
    stream = Stream(model)
    y = torch.stack([stream.push(tokens[:, t]) for t in range(50)], dim=1)
    assert (y - model(tokens)[0]).abs().max() <= 1e-12


def test_impossible_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="num_layers of at least 1, got 0"):
        CausalTransformerLanguageModel(11, num_layers=0)
    with pytest.raises(ConfigError, match="a multiple of num_heads"):
        CausalTransformerLanguageModel(11, embed_dim=7)
