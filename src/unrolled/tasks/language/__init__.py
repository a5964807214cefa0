"""The language task: to predict the next token of a text."""
