"""Tasks: one problem each; what goes in, the target, the loss, the metric, a saved model."""
