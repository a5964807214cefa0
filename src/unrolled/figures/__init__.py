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
}
