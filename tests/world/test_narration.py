"""The narration: reproducible, true, and of the entropy that it claims."""

from math import exp, log

from unrolled.world import Narrator, judge, narrate


def test_the_same_seed_tells_the_same_story() -> None:
    assert narrate(50, seed=3) == narrate(50, seed=3)
    assert narrate(50, seed=3).text != narrate(50, seed=4).text


def test_every_sentence_it_tells_can_happen() -> None:
    verdict = judge(narrate(500).text)
    assert (verdict.sentences, verdict.grammatical, verdict.possible) == (500, 500, 500)


def test_the_information_in_a_story_is_that_of_its_sentences() -> None:
    story, narrator = narrate(200, seed=5), Narrator()
    nats = -sum(log(narrator.accept(line)) for line in story.text.splitlines())
    assert abs(story.nats - nats) < 1e-9
    # The first sentence is one of 12 shapes entering from one of 4 sides.
    assert abs(exp(-narrate(1).nats) - 1 / 48) < 1e-12


def test_probabilities_over_all_sentences_sum_to_one() -> None:
    narrator = Narrator()
    narrator.stage = ["red circle", "blue square", "green circle"]
    total = 0.0
    for event in narrator.events():
        for who in narrator.slots(event)["who"]:
            for sentence in sentences(narrator, event, who):
                judge_of = Narrator()
                judge_of.stage = list(narrator.stage)
                total += judge_of.accept(sentence)
    assert abs(total - 1) < 1e-12


def sentences(narrator: Narrator, event: str, who: str) -> list[str]:
    from unrolled.world.narration import _FORMS

    filled = [{"who": who}]
    for name, values in narrator.slots(event, who).items():
        if name != "who":
            filled = [{**slots, name: value} for slots in filled for value in values]
    return [_FORMS[event].format(**slots) for slots in filled]


def test_what_cannot_happen_is_told_from_what_cannot_be_said() -> None:
    story = "a red circle enters from the left.\n"
    for sentence, grammatical, possible in (
        ("the red circle turns around.", 1, 1),
        ("the blue circle turns around.", 1, 0),
        ("a red circle enters from the top.", 1, 0),
        ("the red circle meets the red circle.", 1, 0),
        ("the red circle turns upside down.", 0, 0),
        ("", 0, 0),
    ):
        verdict = judge(sentence + "\n", story=story)
        assert (verdict.grammatical, verdict.possible) == (grammatical, possible), sentence


def test_a_crowded_stage_lets_nobody_in() -> None:
    narrator = Narrator()
    narrator.stage = ["red circle", "blue square", "green circle", "yellow circle"]
    assert "enters" not in narrator.events()
    assert narrator.accept("a red square enters from the left.") == 0
