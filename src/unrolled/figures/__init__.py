"""The figures of the lecture decks, computed: one module a figure, with one function, ``draw``."""

FIGURES: dict[str, str] = {
    "sequence_shapes": "one to one, one to many, many to one, many to many: real shapes",
    "unrolled_graph": "h_t = f_W(h_(t-1), x_t) unrolled: W is shared, its gradient is a sum",
    "hello": "the example of four characters: a network of three units that spells hello",
    "truncated_bptt": "backpropagation through the whole sequence and through chunks of it",
    "sampling_loop": "every character drawn is fed back: the distributions it was drawn from",
    "search_tree": "greedy, beam and exhaustive search of one tree, in which greedy loses",
    "cells": "the data flow of RNN, LSTM, GRU, MUT1, MUT2 and MUT3",
    "dilation": "dilated causal convolutions: what they see, by formula and by probe",
    "clipping": "the cliff in a recurrent network's error, and descents with and without clipping",
    "vanishing": "gradients by lag: rho^lag exactly, a network under its bound, the LSTM's memory",
    "power_method": "multiplying by W again and again: the length explodes or vanishes, one "
    "direction is left",
    "gates": "a trained LSTM's gates, open and shut, over a sentence that it reads",
    "recall_by_lag": "which network can learn to recall a symbol after how many steps",
    "fusion_ladder": "single frame, late, early and slow fusion: sizes and receptive fields",
    "motion": "accuracy with frames shuffled, reversed and frozen: who uses motion?",
    "transitions": "blue to orange at any time: early fusion fails where 3D convolution does not",
    "filters": "first-layer 3D filters as short clips",
    "soft_attention": "where a captioner looks for every word: a mean over all places",
    "hard_attention": "one place for every word, beside the mean: soft and hard attention",
    "caption_search": "the beam over one picture: captions kept and dropped, word by word",
}
