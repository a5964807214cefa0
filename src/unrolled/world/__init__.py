"""The embedded world: data that the library makes by itself, with its ground truth."""

from unrolled.world.clip import FRAME_RATE_HZ, Box, Clip, ClipObject, Event, Point
from unrolled.world.motion_classes import (
    IDLE,
    MOTION_CLASSES,
    MotionClip,
    MotionFilm,
    MotionWorld,
)
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
from unrolled.world.scenes import Scene, SceneFilm, SceneObject, SceneWorld
from unrolled.world.transitions import TRANSITION_CLASSES, TransitionWorld

__all__ = [
    "FRAME_RATE_HZ",
    "IDLE",
    "MOTION_CLASSES",
    "TRANSITION_CLASSES",
    "Box",
    "Clip",
    "ClipObject",
    "Deed",
    "Event",
    "Judgement",
    "MotionClip",
    "MotionFilm",
    "MotionWorld",
    "Narration",
    "Narrator",
    "Point",
    "Scene",
    "SceneFilm",
    "SceneObject",
    "SceneWorld",
    "TransitionWorld",
    "World",
    "judge",
    "narrate",
    "understand",
]
