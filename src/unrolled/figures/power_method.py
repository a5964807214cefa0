"""Multiplying by the same matrix again and again: what happens to a vector, and to a gradient.

A network without nonlinearity carries its state, and its gradient, through the same W at every step.
With W symmetric, v falls into parts along W's eigenvectors, and each part is multiplied by its own
eigenvalue: the length explodes, stays or vanishes with the largest, and soon only that one's
direction is left.

    W = Q diag(lambda) Q^T        W^k v = Q diag(lambda^k) Q^T v
    |W^k v| -> |lambda_1|^k |q_1 . v|        tan angle(W^k v, q_1) = |lambda_2 / lambda_1|^k tan ...

The powers are the states of a ``LinearMemory``, the library's recurrence without squashing.

Source: the power method, von Mises & Pollaczek-Geiringer 1929; as the reason for exploding and
vanishing gradients: Pascanu et al. 2013, arXiv:1211.5063, §2.1.
"""
