"""Reports: one self-contained page a run, its curves drawn in it."""

from unrolled.reports.curves import Line, draw_curves
from unrolled.reports.gradients import GradientReport, probe_gradients
from unrolled.reports.page import render_page
from unrolled.reports.progress import ProgressReport, report_progress

__all__ = [
    "GradientReport",
    "Line",
    "ProgressReport",
    "draw_curves",
    "probe_gradients",
    "render_page",
    "report_progress",
]
