"""The embedded world: data that the library makes by itself, with its ground truth."""

from unrolled.world.narration import Narration, Narrator, narrate

__all__ = ["Narration", "Narrator", "narrate"]
