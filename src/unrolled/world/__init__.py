"""The embedded world: data that the library makes by itself, with its ground truth."""

from unrolled.world.clip import FRAME_RATE_HZ, Box, Clip, Event, Point, SceneObject
from unrolled.world.narration import (
    Deed,
    Judgement,
    Narration,
    Narrator,
    judge,
    narrate,
    understand,
)
from unrolled.world.rendered import World

__all__ = [
    "FRAME_RATE_HZ",
    "Box",
    "Clip",
    "Deed",
    "Event",
    "Judgement",
    "Narration",
    "Narrator",
    "Point",
    "SceneObject",
    "World",
    "judge",
    "narrate",
    "understand",
]
