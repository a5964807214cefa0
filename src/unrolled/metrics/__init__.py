"""How good answers are: figures from what was said and what was true, and nothing else."""
