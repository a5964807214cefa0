"""The embedded world: data that the library makes by itself, with its ground truth."""

from unrolled.world.narration import Judgement, Narration, Narrator, judge, narrate

__all__ = ["Judgement", "Narration", "Narrator", "judge", "narrate"]
