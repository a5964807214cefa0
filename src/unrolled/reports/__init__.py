"""Reports: one self-contained page a run, its curves drawn in it."""

from unrolled.reports.attention import attention_gif, attention_row, film_attention_row
from unrolled.reports.curves import Line, draw_curves
from unrolled.reports.filters import draw_filters, filters_gif, first_filters
from unrolled.reports.gradients import GradientReport, probe_gradients
from unrolled.reports.lighting import lit, smooth_attention
from unrolled.reports.page import render_page
from unrolled.reports.progress import ProgressReport, report_progress

__all__ = [
    "GradientReport",
    "Line",
    "ProgressReport",
    "attention_gif",
    "attention_row",
    "draw_curves",
    "draw_filters",
    "film_attention_row",
    "filters_gif",
    "first_filters",
    "lit",
    "probe_gradients",
    "render_page",
    "report_progress",
    "smooth_attention",
]
