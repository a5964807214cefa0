"""How good answers are: figures from what was said and what was true, and nothing else."""

from unrolled.metrics.captions import caption_scores, caption_scores_each
from unrolled.metrics.coco_results import read_coco_results, write_coco_results
from unrolled.metrics.diversity import Diversity, diversity
from unrolled.metrics.ptb_tokenizer import caption_words, tokenize

__all__ = [
    "Diversity",
    "caption_scores",
    "caption_scores_each",
    "caption_words",
    "diversity",
    "read_coco_results",
    "tokenize",
    "write_coco_results",
]
