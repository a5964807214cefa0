"""Streams: frames go in one at a time, and outputs come out as they go."""

from unrolled.streaming.events import EventDetector
from unrolled.streaming.labeller import Labeller
from unrolled.streaming.labelling import FrameLabel, label_frames
from unrolled.streaming.stream import Stream

__all__ = ["EventDetector", "FrameLabel", "Labeller", "Stream", "label_frames"]
