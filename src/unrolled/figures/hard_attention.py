"""Soft and hard attention to one board: a mean over all places, or one place.

Both networks have learnt to name the two things on a board: the soft one by its gradient, the hard
one by trial (REINFORCE). Of the hard one two rows are drawn: how likely each place is, and the
place that is looked at, the likeliest one.

Source: lecture decks on captioning with attention, soft above hard; Xu et al. 2015,
arXiv:1502.03044, figure 3.
"""

from matplotlib.figure import Figure
from torch import Tensor

from unrolled.figures._describing import (
    CAPTION_LENGTH,
    WORDS,
    Board,
    bound,
    captioner,
    encoded,
    show,
    show_lit,
)
from unrolled.figures.drawing import GREY, SMALL, slide
from unrolled.figures.soft_attention import STEPS as SOFT_STEPS
from unrolled.figures.soft_attention import Looked, looked

STEPS = 600
