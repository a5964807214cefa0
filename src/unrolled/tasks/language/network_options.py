"""What ``--set model.KEY=VALUE`` can set, and what it is if it is not set.

Written out because a help page must not wait for torch; a test holds it against the networks.
"""

from typing import Any

NETWORK_OPTIONS: dict[str, dict[str, Any]] = {
    "lstm": {
        "embedding_size": 128,
        "hidden_size": 512,
        "num_layers": 1,
        "dropout": 0.0,
        "init_range": None,
    },
    "tcn": {
        "embedding_size": 128,
        "hidden_size": 512,
        "num_levels": 4,
        "kernel_size": 3,
        "dropout": 0.0,
    },
    "transformer": {
        "embed_dim": 128,
        "num_heads": 4,
        "num_layers": 2,
        "window": 64,
        "dropout": 0.0,
    },
    "min_char_rnn": {"hidden_size": 100},
    "bigram": {"smoothing": 0.1},
}
