"""The training loop: update, validate, save; and go on from any instant as if nothing had been."""

import copy
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from unrolled.errors import NumericsError
from unrolled.recurrence import Recurrence
from unrolled.state import first_step, named_leaves, replace_leaves
from unrolled.training.checkpoints import Checkpoint
from unrolled.training.device import random_states, restore_random_states, use_device
from unrolled.training.event_log import EventLog
from unrolled.training.modes import evaluating
from unrolled.training.numerics import explain
from unrolled.training.optimizers import build_optimizer, rate_at
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder
from unrolled.training.signals import Stopped, StopSignals
from unrolled.training.truncated_bptt import Chunk, TruncatedBPTT
from unrolled.training.whole_sequences import WholeSequences

_VALIDATIONS = 6  # spread evenly over a run

Poll = Callable[[], None]


@dataclass
class Counters:
    """Where a run stands; all of it is kept in checkpoints.

    Args:
        step: updates made.
        position: chunks of this epoch that are used up.
        epoch: epochs used up.
        skipped: updates left out because of a number that is not finite.
        validations: how many there were.
        best: the lowest figure of them.
        seconds: wall clock, over all parts of the run.
    """

    step: int = 0
    position: int = 0
    epoch: int = 0
    skipped: int = 0
    validations: int = 0
    best: float = math.inf
    seconds: float = 0.0


@dataclass(frozen=True)
class Progress:
    """What has just happened.

    Args:
        step: updates so far.
        share: how much of the run is over, 0 to 1.
        loss: of the window just learnt from, or None.
        learning_rate: of that update, or None.
        gradient_norm: of that update, before clipping, or None.
        validation: the figure just measured, or None.
    """

    step: int
    share: float
    loss: float | None = None
    learning_rate: float | None = None
    gradient_norm: float | None = None
    validation: float | None = None


class Training:
    """One run over one model, which can be left and taken up again at any step.

    Args:
        model: any ``Recurrence``; or a module that takes the whole x of a chunk, with which every
            chunk is learnt by itself.
        data: the windows of an epoch, in order of time.
        loss_of: gives a scalar from y and a chunk's target.
        validate: measures the model, lower is better; it calls what it is given between its
            pieces, so that a stop need not wait for its end.
        options: how long and how.
        folder: where log and checkpoints go; None keeps nothing.
        report: is told of every update and validation.
        observe: is asked for more of what to log then, such as a sample; a run that is resumed
            equals one that was not only if this draws from no generator but its own.
        begin_epoch: is told the number of an epoch before its first window is asked for, and
            before a run goes on in it, so that the data of epochs may differ.
        begin_update: is told how many updates there were before each one, and before a run goes
            on, so that what learns may change in the course of it.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Sequence[Chunk],
        loss_of: Callable[[Any, Tensor], Tensor],
        validate: Callable[[Poll], float],
        options: TrainingOptions,
        *,
        folder: RunFolder | None = None,
        report: Callable[[Progress], None] = lambda _: None,
        observe: Callable[[Progress], dict[str, Any]] = lambda _: {},
        begin_epoch: Callable[[int], None] = lambda _: None,
        begin_update: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.data, self.loss_of, self.validate = data, loss_of, validate
        self.options, self.folder = options, folder
        self.report, self.observe = report, observe
        self.begin_epoch, self.begin_update = begin_epoch, begin_update
        self.events = EventLog(folder)
        self.device = use_device(options.device)
        model.to(self.device)
        # Its own choice would be one for the whole process, and two runs may want two devices.
        self.accelerator = Accelerator(cpu=True, device_placement=False)
        # A model that only counts has no parameters, and optimizers refuse an empty list.
        parameters = list(model.parameters()) or [nn.Parameter(torch.zeros(0))]
        optimizer = build_optimizer(parameters, options)
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.counters = Counters()
        self.bptt: TruncatedBPTT | WholeSequences = WholeSequences()
        if isinstance(model, Recurrence):
            self.bptt = TruncatedBPTT(options.windows_back, carry=options.carry_state)
        self.best_weights: dict[str, Tensor] = {}
        self._began = self._saved = time.monotonic()

    def run(self) -> bool:
        """Train to the end, and leave the weights that validated best in the model, in eval().

        Returns:
            False if a signal stopped the run before its end; it is then saved where it stood.
        Raises:
            NumericsError: a number is not finite; weights and moments are those before the update.
        """
        self._began = self._saved = time.monotonic() - self.counters.seconds
        self.model.train()
        with StopSignals() as stop:
            try:
                while True:
                    if self._validation_is_due():
                        self._validate(stop.check)
                    if self.share >= 1:
                        break
                    stop.check()
                    self._update()
                    if time.monotonic() - self._saved >= self.options.checkpoint_seconds:
                        self.save()
                finished = True
            except Stopped:
                finished = False
            finally:
                self.events.close()
            self.save()
        if self.best_weights:
            self.model.load_state_dict(self.best_weights)
        self.model.eval()
        return finished

    @property
    def share(self) -> float:
        """How much of the run is over, by whichever limit is nearest."""
        if not list(self.model.parameters()):
            return 1.0  # there is nothing to update
        done, options = self.counters, self.options
        shares = []
        if options.epochs is not None:
            shares.append((done.epoch + done.position / len(self.data)) / options.epochs)
        if options.max_steps is not None:
            shares.append((done.step + done.skipped) / options.max_steps)
        if options.max_minutes is not None:
            shares.append(done.seconds / (60 * options.max_minutes))
        return min(1.0, max(shares))

    def save(self) -> None:
        """Write a checkpoint, if there is a folder to write it to."""
        self._saved = time.monotonic()
        if self.folder is not None:
            manifest = asdict(self.counters) | {
                "optimizer": self.optimizer.state_dict()["param_groups"],
                "chunks": [chunk.number for chunk in self.bptt.chunks],
                "num_states": len(self.bptt.states),
                "python_random": random.getstate(),
                "log_bytes": self.folder.log_size(),
                "device": self.device.type,
            }
            self.folder.checkpoints.save(self.counters.step, Checkpoint(self._tensors(), manifest))

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take a run up where a checkpoint left it."""
        tensors, manifest = checkpoint.tensors, checkpoint.manifest
        names = {field.name for field in fields(Counters)}
        self.counters = Counters(**{name: manifest[name] for name in names})
        self.begin_epoch(self.counters.epoch)
        self.begin_update(self.counters.step)
        self.model.load_state_dict(_under("model", tensors))
        self.best_weights = _under("best", tensors)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimizer", tensors).items():
            index, _, key = name.partition(".")
            moments.setdefault(int(index), {})[key] = tensor
        self.optimizer.load_state_dict({"state": moments, "param_groups": manifest["optimizer"]})
        if isinstance(self.bptt, TruncatedBPTT):
            self.bptt.chunks = [self.data[number].on(self.device) for number in manifest["chunks"]]
            first = self.data[0].on(self.device)
            template = self.model.state_like(first_step(first.x, self.model.stride))
            self.bptt.states = [
                replace_leaves(template, _under(f"state.{number}", tensors))
                for number in range(manifest["num_states"])
            ]
        version, internal, gauss = manifest["python_random"]
        random.setstate((version, tuple(internal), gauss))
        restore_random_states(_under("random", tensors), self.device)
        if self.folder is not None:
            self.folder.truncate_log(manifest["log_bytes"])
            self.events.go_on_from(self.counters.step)

    def _update(self) -> None:
        """Learn from one window."""
        if self.counters.position == 0:
            self.begin_epoch(self.counters.epoch)
        self.begin_update(self.counters.step)
        options, chunk = self.options, self.data[self.counters.position].on(self.device)
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.share, options, self.counters.epoch)
        y, loss, after = self.bptt.forward(self.model, chunk, self.loss_of)
        self.optimizer.zero_grad()
        self.accelerator.backward(loss)
        if options.clip_value:
            nn.utils.clip_grad_value_(self.model.parameters(), options.clip_value)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), options.clip_norm or math.inf)
        self._advance()
        if loss.isfinite() and norm.isfinite():
            self.optimizer.step()
            self.bptt.keep(chunk, after)
            self.counters.step += 1
            rate = self.optimizer.param_groups[0]["lr"]
            step, share = self.counters.step, self.share
            self._tell(Progress(step, share, loss.item(), rate, norm.item()))
            return
        error = explain(self.model, chunk, y, loss, self.counters.step + 1)
        sound = all(bool(weight.isfinite().all()) for weight in self.model.parameters())
        if options.on_bad_number == "stop" or not sound:
            raise error
        self.counters.skipped += 1  # and the state from before this window is carried on
        self._tell(Progress(self.counters.step, self.share))

    def _advance(self) -> None:
        self.counters.position += 1
        if self.counters.position == len(self.data):
            self.counters.epoch, self.counters.position = self.counters.epoch + 1, 0
        self.counters.seconds = time.monotonic() - self._began

    def _validation_is_due(self) -> bool:
        done = self.counters
        due = math.floor(self.share * _VALIDATIONS) > done.validations
        return (due and done.step > 0) or (self.share >= 1 and done.validations < _VALIDATIONS)

    def _validate(self, poll: Poll) -> None:
        share = self.share
        with evaluating(self.model):
            figure = self.validate(poll)
        done = self.counters
        if not math.isfinite(figure):
            raise NumericsError("a finite figure in validation", str(figure))
        if figure < done.best:
            done.best, self.best_weights = figure, copy.deepcopy(self.model.state_dict())
        done.validations = math.floor(share * _VALIDATIONS)
        done.seconds = time.monotonic() - self._began
        self._tell(Progress(done.step, share, validation=figure))

    def _tell(self, progress: Progress) -> None:
        if self.folder is not None:
            line = {k: v for k, v in asdict(progress).items() if v is not None}
            line |= self.observe(progress)
            self.folder.log(line)
            self.folder.log_time(progress.step, self.counters.seconds)
            self.events.add(line)
        self.report(progress)

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best_weights.items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            for key, value in moments.items():
                if value is not None:
                    tensors[f"optimizer.{index}.{key}"] = torch.as_tensor(value)
        for number, state in enumerate(self.bptt.states):
            tensors |= named_leaves(state, f"state.{number}")
        states = random_states(self.device)
        return tensors | {f"random.{name}": state for name, state in states.items()}


def _under(name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors that were saved under ``name``, by what follows it and a dot."""
    return {
        path.removeprefix(name).removeprefix("."): tensor
        for path, tensor in tensors.items()
        if path == name or path.startswith(f"{name}.")
    }
