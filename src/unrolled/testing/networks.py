"""Checks for networks over whole pictures and clips: ``check_network``."""

import copy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.encoders import ClipNetwork, PictureNetwork
from unrolled.errors import DtypeError, LawError, ShapeError, UnrolledError
from unrolled.storage import load_tensors, save_tensors
from unrolled.testing.compare import STEP_TOLERANCE, assert_close, assert_identical


class NetworkCase(NamedTuple):
    """A network in ``eval()`` and an input for it."""

    network: PictureNetwork | ClipNetwork
    x: Tensor  # [B, T, C, H, W], B >= 2

    def run(self) -> Tensor:
        """Return the network's logits, without gradients."""
        with torch.no_grad():
            logits: Tensor = self.network(self.x)
            return logits


def check_network(network: PictureNetwork | ClipNetwork, x: Tensor) -> None:
    """Check what every network over pictures or clips promises, in ``eval()``.

    Works on a copy: the network is left as it was. Small sizes do.

    Args:
        network: over pictures, or over clips.
        x: clips ``[B, T, C, H, W]``, B at least 2, which a network over pictures takes as well.
    Raises:
        LawError: the first fault found; it names the check, the place, what was expected and came.
    Example:
        >>> from unrolled.encoders import PlainCNN
        >>> check_network(PlainCNN(class_count=5, width=2), torch.randn(2, 3, 3, 16, 17))
    """
    for name in NETWORK_CHECKS:
        run_network_check(name, network, x)


def run_network_check(name: str, network: PictureNetwork | ClipNetwork, x: Tensor) -> None:
    """Run one check; an error of the library or of torch on the way is a fault of the network."""
    case = NetworkCase(copy.deepcopy(network).eval(), x)
    try:
        NETWORK_CHECKS[name](case)
    except LawError:
        raise
    except (UnrolledError, RuntimeError, IndexError, TypeError, ValueError) as error:
        first_line = (str(error).strip().splitlines() or [""])[0]
        got = f"{type(error).__name__}: {first_line}"
        raise LawError(name, type(network).__name__, "an answer", got) from error


def check_sizes(case: NetworkCase) -> None:
    """Logits have ``class_count``, features ``feature_size``, and both are finite."""
    with torch.no_grad():
        found = {"logits": case.run(), "features": case.network.features(case.x)}
    sizes = {"logits": case.network.class_count, "features": case.network.feature_size}
    leading = case.x.shape[:-3] if isinstance(case.network, PictureNetwork) else case.x.shape[:1]
    for name, y in found.items():
        expected = [*leading, sizes[name]]
        if list(y.shape) != expected:
            raise LawError("sizes", name, str(expected), str(list(y.shape)))
        if not bool(y.isfinite().all()):
            raise LawError("sizes", name, "finite numbers", "others")


def check_frames(case: NetworkCase) -> None:
    """A network over pictures sees each by itself, whatever axes stand in front."""
    if isinstance(case.network, PictureNetwork):
        with torch.no_grad():
            alone = case.network(case.x[-1, -1])
        assert_close("frames", "logits of one picture", alone, case.run()[-1, -1], STEP_TOLERANCE)


def check_rows(case: NetworkCase) -> None:
    """A clip is not told apart by what lies beside it in the batch."""
    beside = case.x.clone()
    beside[1:] = torch.nan
    alone = NetworkCase(case.network, beside).run()
    assert_close("rows", "row 0 beside NaN", alone[0], case.run()[0], STEP_TOLERANCE)


def check_purity(case: NetworkCase) -> None:
    """A call in ``eval()`` writes neither its input nor the network, and says the same again."""
    x, state = case.x.clone(), copy.deepcopy(case.network.state_dict())
    first = case.run()
    assert_identical("purity", "x", case.x, x)
    for name, tensor in case.network.state_dict().items():
        assert_identical("purity", name, tensor, state[name])
    assert_identical("purity", "logits of a second call", case.run(), first)


def check_layout(case: NetworkCase) -> None:
    """Clips ``[B, C, T, H, W]`` and clips of integers are refused in words, with the cure."""
    wrong = torch.zeros(2, case.network.input_channels, 5, *case.x.shape[-2:])
    _refused(case.network, wrong, ShapeError, "transpose(1, 2)")
    _refused(case.network, case.x.to(torch.uint8), DtypeError, "float")


def check_state_dict(case: NetworkCase) -> None:
    """Everything that decides the answer is in ``state_dict``, and a file gives it back."""
    other = copy.deepcopy(case.network)
    with torch.no_grad():
        for tensor in (*other.parameters(), *other.buffers()):
            tensor.zero_()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        save_tensors(path, case.network.state_dict(), {})
        other.load_state_dict(load_tensors(path)[0])
    assert_identical("state_dict", "logits", NetworkCase(other, case.x).run(), case.run())


def check_training(case: NetworkCase) -> None:
    """In ``train()`` every parameter gets a gradient, and all of them are finite."""
    network = case.network.train()
    network(case.x).square().sum().backward()
    for name, parameter in network.named_parameters():
        if parameter.grad is None or not bool(parameter.grad.isfinite().all()):
            got = "none" if parameter.grad is None else "others"
            raise LawError("training", f"gradient of {name}", "finite numbers", got)


def check_gradients(case: NetworkCase) -> None:
    """The derivative along a random direction equals a finite difference, in float64."""
    network, x = case.network.double(), case.x.double().requires_grad_()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:  # a bias of 0 leaves a dead map on the corner of its ReLU
                parameter.add_(0.1 * torch.randn_like(parameter))
    tensors = [x, *network.parameters()]
    directions = [torch.randn_like(tensor) * (tensor.std(correction=0) + 0.1) for tensor in tensors]
    y = network(x)
    weights = torch.randn_like(y)
    gradients = torch.autograd.grad((y * weights).sum(), tensors, materialize_grads=True)
    expected = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
    step = 1e-7
    with torch.no_grad():
        sides = []
        for sign in (1, -2):
            for tensor, direction in zip(tensors, directions, strict=True):
                tensor.add_(direction, alpha=sign * step)
            sides.append((network(x) * weights).sum())
    got = (sides[0] - sides[1]) / (2 * step)
    assert_close("gradients", "slope", got, torch.as_tensor(expected), {torch.float64: 1e-5})


def _refused(
    network: PictureNetwork | ClipNetwork, x: Tensor, kind: type[UnrolledError], cure: str
) -> None:
    name = f"{x.dtype} {list(x.shape)}"
    for what, function in (("forward", network), ("features", network.features)):
        try:
            function(x)
        except kind as error:
            if cure not in str(error):
                raise LawError("layout", f"{what} of {name}", cure, str(error)) from None
            continue
        raise LawError("layout", f"{what} of {name}", f"a {kind.__name__}", "an answer")


#: in the order in which a newcomer would want to hear of a fault
NETWORK_CHECKS: dict[str, Callable[[NetworkCase], None]] = {
    "sizes": check_sizes,
    "frames": check_frames,
    "rows": check_rows,
    "purity": check_purity,
    "layout": check_layout,
    "state_dict": check_state_dict,
    "training": check_training,
    "gradients": check_gradients,
}
