"""Learning to watch: what it learns from, and that it learns."""

import torch

from unrolled.tasks import watcher
from unrolled.tasks.watcher import Films, Watcher, frames_and_targets, settled
from unrolled.training.options import TrainingOptions
from unrolled.world import MotionWorld

WORLD = MotionWorld(height=32, width=32, classes=("left", "right"))


def test_films_are_cut_into_windows_that_follow_on_each_other() -> None:
    films = Films(WORLD, num_streams=3, window=5, length=20)
    cut = torch.cat([films[number].x for number in range(8)], dim=1)
    target = torch.cat([films[number].target for number in range(8)], dim=1)
    shown = [WORLD.film(row, 40, idle_first=row != 1) for row in range(3)]  # every other at rest
    whole, truth = frames_and_targets(WORLD, shown)
    assert [first == 2 for first in truth[:, 0].tolist()] == [True, False, True]
    assert cut.equal(whole)
    assert target.equal(truth)
    assert truth.unique().tolist() == [0, 1, 2]  # the last is standstill
    fresh = [films[n].fresh for n in (0, 1, 7, 8, 15, 16)]
    assert fresh == [True, False, False, False, False, True], "by turns they begin anew"


def test_the_next_films_are_others_and_windows_can_be_asked_for_in_any_order() -> None:
    films = Films(WORLD, num_streams=2, window=4, length=20)
    late, early = films[9].x, films[1].x
    assert films[9].x.equal(late)
    assert films[1].x.equal(early)
    assert not films[8].x.equal(films[0].x)


def test_frames_are_settled_once_a_class_has_held() -> None:
    target = torch.tensor([[0] * 10 + [2] * 7 + [1] * 3])
    assert settled(target)[0].nonzero().flatten().tolist() == [6, 7, 8, 9, 16]


def test_it_learns_to_tell_movement_from_standstill(monkeypatch) -> None:
    monkeypatch.setattr(watcher, "_VALIDATION_FRAMES", 40)
    options = TrainingOptions(
        epochs=9, max_steps=70, batch_size=8, window=8, learning_rate=1e-2, threads=1
    )
    found = Watcher.begin(options)
    assert found.training.run()
    assert found.figures()["steps"] == 70
    assert len(found.accuracies) == 6
    first, *_, last = found.accuracies.values()
    assert found.training.counters.best < torch.tensor(5.0).log()  # nats of a guess
    assert last.frames >= first.frames


def test_frame_by_frame_is_the_whole_film() -> None:
    found = Watcher.begin(TrainingOptions(epochs=1, max_steps=1, batch_size=2, window=4, threads=1))
    found.network.eval()
    film = found.world.film(3, 30)
    labels = list(found.live(film, pace=False))
    watched = found.compared(film, labels)
    assert watched.difference <= 1e-5
    assert watched.equal == 30
    assert [label.seconds for label in labels][:2] == [0.0, 1 / 12]
