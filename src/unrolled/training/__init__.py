"""Training: truncated backpropagation through time over carried state."""
