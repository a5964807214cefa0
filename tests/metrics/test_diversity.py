"""Diversity, counted by hand."""

from unrolled.metrics import diversity


def test_the_same_caption_for_every_picture_is_seen() -> None:
    found = diversity(["A man on a bench."] * 9 + ["a man on a bench!"], ["A man on a bench"])
    assert found.distinct_captions == 1
    assert found.commonest_share == found.copied_share == 1
    assert found.words_used == 4


def test_captions_of_a_models_own_are_no_copies() -> None:
    found = diversity(["a dog", "a cat", "a cat", "two birds"], ["a dog", "birds"])
    assert found == (4, 3, 0.5, 5, 0.25)


def test_nothing_has_no_diversity() -> None:
    assert diversity([]) == (0, 0, 0, 0, 0)
