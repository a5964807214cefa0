"""The figures of the lecture decks, computed: one module a figure, with one function, ``draw``."""

FIGURES: dict[str, str] = {
    "clipping": "the cliff in a recurrent network's error, and descents with and without clipping",
    "vanishing": "gradients by lag: rho^lag exactly, a network under its bound, the LSTM's memory",
    "power_method": "multiplying by W again and again: the length explodes or vanishes, one "
    "direction is left",
    "gates": "a trained LSTM's gates, open and shut, over a sentence that it reads",
    "recall_by_lag": "which network can learn to recall a symbol after how many steps",
}
