"""The course of the learning rate, and the scale of a loss."""

import pytest
import torch
from torch.nn import functional as F

from unrolled.models import RecurrentLanguageModel
from unrolled.training.loop import Training
from unrolled.training.optimizers import rate_at
from unrolled.training.options import TrainingOptions
from unrolled.training.truncated_bptt import Chunk


def test_the_rate_falls_by_a_factor_every_epoch_after_the_first_few() -> None:
    """Zaremba et al. 2014: 1 for 4 epochs, then halved after every epoch, 13 in all."""
    options = TrainingOptions(
        epochs=13, schedule="epochs", decay=0.5, full_rate_epochs=4, warm_up=0, learning_rate=1.0
    )
    rates = [rate_at(epoch / 13, options, epoch) for epoch in range(13)]
    assert rates == [
        1,
        1,
        1,
        1,
        1 / 2,
        1 / 4,
        1 / 8,
        1 / 16,
        1 / 32,
        1 / 64,
        1 / 128,
        1 / 256,
        1 / 512,
    ]


def test_the_loop_tells_the_schedule_its_epoch() -> None:
    tokens, seen = torch.randint(7, (2, 8)), []
    chunks = [Chunk(tokens[:, :4], tokens[:, 1:5], 0), Chunk(tokens[:, 4:7], tokens[:, 5:], 1)]
    run = Training(
        RecurrentLanguageModel(7, embedding_size=3, hidden_size=5),
        chunks,
        lambda y, target: F.cross_entropy(y.flatten(0, 1), target.flatten()),
        lambda _: 1.0,
        TrainingOptions(
            epochs=3, schedule="epochs", decay=0.5, warm_up=0, learning_rate=8.0, optimizer="sgd"
        ),
        report=lambda p: p.loss and seen.append(run.optimizer.param_groups[0]["lr"]),
    )
    run.run()
    assert seen == [8, 8, 4, 4, 2, 2]


@pytest.mark.parametrize("scale", [1.0, 1e-4], ids=["clipped", "unclipped"])
def test_a_loss_summed_over_the_window_is_a_rate_times_the_window(scale: float) -> None:
    """As in ptb_small: rate 1 and norm 5 for a sum over 20 steps are 20 and 0.25 for a mean."""
    steps, batch = 20, 3

    def updated(summed: bool) -> list[torch.Tensor]:
        torch.manual_seed(1)
        model = RecurrentLanguageModel(7, embedding_size=3, hidden_size=5, init_range=2.0).double()
        x, target = torch.randint(7, (2, batch, steps))
        loss = F.cross_entropy(model(x)[0].flatten(0, 1), target.flatten(), reduction="sum") / batch
        (scale * loss / (1 if summed else steps)).backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0 if summed else 0.25)
        assert bool(norm > (5.0 if summed else 0.25)) == (scale == 1.0)
        torch.optim.SGD(model.parameters(), 1.0 if summed else 20.0).step()
        return [parameter.detach() for parameter in model.parameters()]

    for ours, paper in zip(updated(False), updated(True), strict=True):
        # clip_grad_norm_ adds 1e-6 to the norm: 4e-6 of 0.25, in updates that are at most 5.
        assert torch.allclose(ours, paper, rtol=0, atol=2e-5 if scale == 1.0 else 1e-12)
