"""Programs over plain tensors, run natively or, with the same meaning, by torch."""
