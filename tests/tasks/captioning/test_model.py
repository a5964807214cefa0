"""The captioning task: what is learnt from, what is said, and that a stopped run goes on."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from unrolled.errors import ConfigError
from unrolled.models import Captioner, PictureCaptioner
from unrolled.tasks.captioning.batches import NO_WORD, CaptionBatch, CaptionBatches, padded_words
from unrolled.tasks.captioning.data import CaptioningData, read_captioning_data
from unrolled.tasks.captioning.evaluation import evaluate_pictures
from unrolled.tasks.captioning.learner import CaptionLearner, Pictures
from unrolled.tasks.captioning.learning import Learning, prepare
from unrolled.tasks.captioning.learning_options import (
    CaptioningTrainingOptions,
    DescribingOptions,
)
from unrolled.tasks.captioning.model import Caption, mean_nats
from unrolled.tasks.captioning.networks import build_captioner, captioner_options
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.pointing import looks_of, pointing
from unrolled.tasks.video.preprocessing import Preprocessing
from unrolled.training.run_folder import RunFolder
from unrolled.world import Box, SceneObject

READING = CaptioningOptions(height=32, width=32, scenes=20)
SMALL = {"hidden_size": 5, "embedding_size": 3, "encoder.width": 2}
QUICK = CaptioningTrainingOptions(max_steps=6, batch_size=4, epochs=9, checkpoint_seconds=0)


@pytest.fixture(scope="module")
def data() -> CaptioningData:
    return read_captioning_data("world", READING)


@pytest.fixture(scope="module")
def weights(tmp_path_factory, data: CaptioningData) -> str:
    """A model folder whose encoder others can start from."""
    folder = tmp_path_factory.mktemp("weights") / "model"
    learning = prepare(data, options=SMALL, reading=READING, training=replace(QUICK, seed=5))
    learning.model.save(folder, {})
    return str(folder)


def begun(
    data: CaptioningData, describing: DescribingOptions, folder: RunFolder | None = None, **more
) -> Learning:
    training = replace(QUICK, **more)
    return prepare(
        data,
        options=SMALL,
        reading=READING,
        describing=describing,
        training=training,
        folder=folder,
    )


def weights_of(learning: Learning) -> dict[str, torch.Tensor]:
    return {name: w.clone() for name, w in learning.training.model.state_dict().items()}


@pytest.mark.parametrize("finetune_after", [None, 3])
@pytest.mark.parametrize("stop", [2, 4])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(
    data, weights: str, finetune_after: int | None, stop: int, tmp_path: Path
) -> None:
    start = weights if finetune_after else None
    describing = DescribingOptions(weights=start, finetune_after=finetune_after)
    whole = begun(data, describing)
    whole.training.run()

    def folder() -> RunFolder:
        return RunFolder(tmp_path / "run", {"task": "captioning"}, keep=2)

    first = begun(data, describing, folder())
    first.training.model.train()
    for _ in range(stop):
        first.training._update()
    first.training.save()
    second = begun(data, describing, folder())
    checkpoint, faults = folder().checkpoints.load()
    assert faults == []
    second.training.restore(checkpoint)
    second.training.model.train()
    while second.training.share < 1:
        second.training._update()
    trained = weights_of(second)
    twin = begun(data, describing)
    twin.training.model.train()
    while twin.training.share < 1:
        twin.training._update()
    for name, value in weights_of(twin).items():
        assert torch.equal(value, trained[name]), name
    assert whole.counters.step == second.counters.step == 6


def test_an_encoder_is_frozen_until_its_step_and_learns_then(data, weights: str) -> None:
    learning = begun(data, DescribingOptions(weights=weights, finetune_after=3))
    training, encoder = learning.training, learning.model.network.encoder

    def seen() -> dict[str, torch.Tensor]:
        return {name: value.clone() for name, value in encoder.state_dict().items()}

    training.model.train()
    before = seen()
    for _ in range(3):
        training._update()
        for name, value in seen().items():  # statistics of its normalisations too
            assert torch.equal(value, before[name]), name
    training._update()
    after = seen()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert {name for name, _ in encoder.named_parameters()} <= changed


def test_what_a_frozen_encoder_made_is_what_it_makes(data, weights: str) -> None:
    learning = begun(data, DescribingOptions(weights=weights, freeze=True))
    numbers = learning.parts["train"][:5]
    kept = learning.batches.seen.batch(numbers)
    assert kept.is_floating_point()
    learning.learner.eval()
    pixels = torch.stack([data.pixels(number) for number in numbers])
    torch.testing.assert_close(kept, learning.learner.annotations(pixels))
    said = learning.model.describe_batch(kept, 2)
    again = learning.model.describe_batch(pixels, 2)
    assert [[c.words for c in one] for one in said] == [[c.words for c in one] for one in again]


def batches(captions: list[list[list[int]]], **more) -> CaptionBatches:
    class Numbers:
        def batch(self, numbers):
            return torch.tensor(list(numbers))

    numbers = range(len(captions))
    options = {"start": 0, "batch_size": 2, "captions_per_picture": 3, "seed": 1, **more}
    return CaptionBatches(Numbers(), captions, numbers, **options)


def test_an_epoch_has_every_picture_once_with_captions_of_its_own() -> None:
    captions = [[[10 * n + k, 1] for k in range(1, 2 + n)] for n in range(5)]
    found = batches(captions)
    numbers = []
    for chunk in found:
        pictures = chunk.x.pictures.tolist()
        numbers += pictures
        rows = chunk.target.view(len(pictures), 3, -1)
        for picture, group in zip(pictures, rows.tolist(), strict=True):
            assert {row[0] // 10 for row in group} == {picture}
            assert len({row[0] for row in group}) == min(3, len(captions[picture]))
    assert sorted(numbers) == list(range(5))


def test_an_epoch_draws_anew_and_the_same_again() -> None:
    captions = [[[10 * n + k, 1] for k in range(9)] for n in range(4)]
    found = batches(captions)
    first = [chunk.target.tolist() for chunk in found]
    found.begin_epoch(1)
    second = [chunk.target.tolist() for chunk in found]
    found.begin_epoch(0)
    assert first != second
    assert [chunk.target.tolist() for chunk in found] == first


@pytest.fixture(scope="module")
def learner(data) -> CaptionLearner:
    torch.manual_seed(1)
    network = build_captioner("show_attend_tell", "plain_cnn", len(data.vocabulary), SMALL)
    return CaptionLearner(network, Preprocessing(32, 32)).eval()


def test_nats_are_the_mean_over_every_word_of_every_caption(data, learner) -> None:
    tokens, start = data.tokens(data.vocabulary, 20), data.vocabulary.start
    numbers = list(range(7))
    pictures = Pictures(learner, data.pixels, numbers)
    by_hand, count = 0.0, 0
    for number in numbers:
        for caption in tokens[number]:
            words = torch.tensor([[start, *caption[:-1]]])
            with torch.no_grad():
                y = learner(CaptionBatch(data.pixels(number)[None], words))
            by_hand += float(F.cross_entropy(y.logits[0], torch.tensor(caption), reduction="sum"))
            count += len(caption)
    found = mean_nats(learner, pictures, tokens, numbers, start)
    assert found == pytest.approx(by_hand / count, rel=1e-5)


def test_padding_has_no_part_in_the_loss(data, learner) -> None:
    rows = data.tokens(data.vocabulary, 20)[0][:2]
    words, target = padded_words([*rows, rows[0] + rows[1] + rows[0]], data.vocabulary.start)
    pictures = data.pixels(0)[None]
    y = learner(CaptionBatch(pictures, words))
    other = words.masked_fill(torch.nn.functional.pad(target, (1, 0))[:, :-1] == NO_WORD, 5)
    changed = learner(CaptionBatch(pictures, other))
    assert learner.loss_of(y, target) == learner.loss_of(changed, target)


def test_a_caption_has_the_probabilities_that_the_network_gives_its_words(data, learner) -> None:
    model = replace(begun(data, DescribingOptions()).model, network=learner.captioner)
    found = model.describe_batch(torch.stack([data.pixels(n) for n in range(3)]), 4)
    for number, captions in enumerate(found):
        likely = [caption.log_probability for caption in captions]
        assert likely == sorted(likely, reverse=True)
        for caption in captions:
            tokens = [data.vocabulary.entries.index(word) for word in caption.words]
            given = torch.tensor([[data.vocabulary.start, *tokens]])
            with torch.no_grad():
                y = learner(CaptionBatch(data.pixels(number)[None], given))
            scores = y.logits[0].log_softmax(-1)
            by_hand = [float(scores[place, token]) for place, token in enumerate(tokens)]
            assert caption.log_probabilities == pytest.approx(by_hand, abs=1e-5)
            torch.testing.assert_close(caption.weights, y.weights[0, : len(tokens)])
            if caption.end_log_probability is not None:
                end = float(scores[len(tokens), data.vocabulary.end])
                assert caption.end_log_probability == pytest.approx(end, abs=1e-5)


def test_a_model_says_the_same_after_it_was_saved(data, tmp_path: Path) -> None:
    model = begun(data, DescribingOptions()).model
    model.network.eval()
    model.save(tmp_path / "model", {})
    again = type(model).load(tmp_path / "model")
    assert (again.vocabulary, again.preprocessing) == (model.vocabulary, model.preprocessing)
    one, two = (m.describe(data.pixels(3), 2) for m in (model, again))
    assert [c.words for c in one] == [c.words for c in two]
    assert [c.log_probability for c in one] == [c.log_probability for c in two]


def test_a_folder_from_before_there_were_positions_has_none(data, tmp_path: Path) -> None:
    without = prepare(
        data, options=SMALL | {"encoder.positions": False}, reading=READING, training=QUICK
    ).model
    options = {k: v for k, v in without.model["options"].items() if k != "encoder.positions"}
    replace(without, model=without.model | {"options": options}).save(tmp_path / "model", {})
    again = type(without).load(tmp_path / "model")
    weights = without.network.state_dict()
    assert again.network.state_dict().keys() == weights.keys()
    assert all(torch.equal(weights[k], w) for k, w in again.network.state_dict().items())


def caption(words: str, place_of_each: list[int]) -> Caption:
    weights = F.one_hot(torch.tensor(place_of_each), 16).float()
    split = tuple(words.split())
    return Caption(split, (0.0,) * len(split), 0.0, weights, (4, 4))


def test_attention_points_where_the_named_object_is() -> None:
    # Places of 8 x 8 pixels: 5 is row 1, column 1, with its centre at (12, 12).
    circle = SceneObject("circle", "red", "", Box(8, 8, 16, 16))
    other = SceneObject("circle", "blue", "", Box(24, 24, 32, 32))
    size = (32, 32)
    said = caption("a red circle", [0, 0, 5])
    ((look, chance),) = looks_of(said, [circle, other], size)
    assert (look.word, look.hit, look.inside, chance) == ("circle", True, 1.0, 1 / 16)
    ((look, _),) = looks_of(caption("a red circle", [0, 0, 15]), [circle, other], size)
    assert not look.hit  # it looked at the other one
    ((look, _),) = looks_of(caption("a circle", [0, 15]), [circle, other], size)
    assert look.hit  # either will do
    assert looks_of(caption("a cross", [0, 5]), [circle], size) == []
    assert pointing([]) is None


def test_a_box_between_places_is_looked_at_in_the_nearest() -> None:
    dot = SceneObject("dot", "", "", Box(17, 1, 19, 3))  # the centre of place 2 is at (20, 4)
    ((look, _),) = looks_of(caption("a dot", [0, 2]), [dot], (32, 32))
    assert look.hit


def test_a_score_counts_what_is_exact_and_what_is_true(data) -> None:
    learning = begun(data, DescribingOptions())
    score = evaluate_pictures(learning.model, data, [0, 1, 2], part="test", learnt=[0])
    right = replace(
        score, captions=tuple([caption(data.items[n].captions[1], [0])] for n in range(3))
    )
    assert right.exact_match == 1
    assert replace(score, captions=([], *right.captions[1:])).exact_match == pytest.approx(2 / 3)
    assert data.judged([0], [data.items[0].captions[0]]) == (True,)


def test_options_of_the_encoder_reach_it_and_no_others() -> None:
    usual = captioner_options("show_attend_tell", "plain_cnn")
    assert usual["encoder.pooled"] == 3
    network = build_captioner("show_and_tell", "resnet18", 11, {"encoder.width": 2})
    assert isinstance(network, PictureCaptioner)
    assert isinstance(network.decoder, Captioner)
    with pytest.raises(ConfigError, match="did you mean width"):
        build_captioner("show_and_tell", "resnet18", 11, {"encoder.widht": 2})


def test_there_are_positions_unless_they_are_not_wanted() -> None:
    without = {"encoder.positions": False}
    for name, wanted, times, more in (
        ("show_attend_tell", {}, 1, 2),
        ("show_attend_tell", without, 1, 0),
        ("temporal_attention", {}, 3, 1),
        ("temporal_attention", without, 1, 0),
    ):
        assert captioner_options(name, "plain_cnn")["encoder.positions"] is True
        network = build_captioner(name, "plain_cnn", 11, SMALL | wanted)
        assert network.decoder.feature_size == times * network.encoder.feature_size + more
    with pytest.raises(ConfigError, match=r"encoder\.positions"):
        build_captioner("show_attend_tell", "plain_cnn", 11, SMALL | {"encoder.positions": 1})
