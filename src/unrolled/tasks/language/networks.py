"""From a name and options to a network that reads tokens and gives scores."""

import inspect
from typing import Any, TypeAlias

import torch
from torch import Tensor

from unrolled.errors import ConfigError, DtypeError, ShapeError
from unrolled.models import RecurrentLanguageModel
from unrolled.recurrence import Recurrence
from unrolled.registry import lookup_recurrence
from unrolled.state import device_of
from unrolled.tasks.model_folder import require_fitting_sizes
from unrolled.tasks.network_options import build_with, module_needed, unlike
from unrolled.training.modes import evaluating

Network: TypeAlias = Recurrence[Any, Any, Any, Any]
DEFAULT_MODEL = "lstm"


def build_language_network(
    name: str | Network, vocabulary_size: int, options: dict[str, Any]
) -> Network:
    """Build the network that ``name`` stands for, over ``vocabulary_size`` tokens.

    A name of a network that takes ``vocabulary_size`` is built as it is; the name of a cell, or of
    one of your own, is stacked into a ``RecurrentLanguageModel``. A network is returned if it
    gives the scores that are needed.

    Raises:
        ConfigError: an unknown name, an option that the network has not, or a network that does
            not fit the vocabulary.
    """
    if isinstance(name, Recurrence):
        if options:
            got = f"{', '.join(options)} beside a {type(name).__name__}"
            raise ConfigError("options for a name alone", got, "give them to the module itself")
        return _fitting(name, vocabulary_size)
    cls, given = _network(name)
    given = {"vocabulary_size": vocabulary_size, **given}
    return build_with(cls, name, given, options, network_options(name), see="see --help")


def restore_language_network(
    model: dict[str, Any],
    vocabulary_size: int,
    tensors: dict[str, Tensor],
    network: Network | None = None,
) -> Network:
    """Return the network that ``describe`` told of, with its tensors, in eval().

    Args:
        model: what ``describe`` returned.
        vocabulary_size: V.
        tensors: of its state_dict.
        network: takes the tensors, where the model was made from a module.
    Raises:
        ConfigError: the model was made from a module and none is given, or one that does not fit.
        ReaderError: a size that the tensors do not bear out.
    """
    if network is not None:
        _fitting(network, vocabulary_size).load_state_dict(tensors)
        return network.eval()
    name = model["name"]
    if name is None:
        raise module_needed("model", str(model["class"]), "unrolled.load(FOLDER, model=MODULE)")
    require_fitting_sizes(unlike(network_options(name), model["options"]), tensors)
    with torch.device("meta"):  # sizes first: memory is that of the file's tensors alone
        network = build_language_network(name, vocabulary_size, model["options"])
    network.load_state_dict(tensors, assign=True)
    return network.eval()


def describe(name: str | Network, options: dict[str, Any]) -> dict[str, Any]:
    """Return what a configuration can say of a network: its name and options, or its class."""
    if isinstance(name, Recurrence):
        return {"name": None, "class": type(name).__name__, "options": {}}
    return {"name": name, "options": options}


def resolved_options(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with those that were left out, as far as a file can hold their values."""
    usual = {
        key: value
        for key, value in network_options(name).items()
        if value is None or isinstance(value, bool | int | float | str)
    }
    return usual | options


def network_options(name: str) -> dict[str, Any]:
    """Return the options of a network with their defaults."""
    cls, given = _network(name)
    parameters = list(inspect.signature(cls).parameters.values())[1:]
    return {p.name: p.default for p in parameters if p.name not in given}


def _fitting(network: Network, vocabulary_size: int) -> Network:
    """Return a network that reads every token and scores every token, or raise ``ConfigError``."""
    name, num_scores = type(network).__name__, vocabulary_size
    tokens = torch.full((1, network.stride), vocabulary_size - 1, device=device_of(network))
    expected = f"logits [B, T, {num_scores}] for the {num_scores} entries of the vocabulary"
    cure = f"build it for {num_scores}"
    try:
        with evaluating(network), torch.no_grad():
            y, _ = network(tokens)
    except (IndexError, RuntimeError, ConfigError, ShapeError, DtypeError) as error:
        got = f"{' '.join(str(error).split())} from {name}"
        raise ConfigError(expected, got, cure) from None
    if not isinstance(y, Tensor):
        raise ConfigError(expected, f"a {type(y).__name__} from {name}")
    if y.shape != (1, 1, num_scores):
        got = f"[{', '.join(['B', 'T', *map(str, y.shape[2:])])}] from {name}"
        raise ConfigError(expected, got, cure)
    return network


def _network(name: str) -> tuple[type[Network], dict[str, Any]]:
    if not isinstance(name, str):
        raise ConfigError("the name of a network", repr(name))
    cls = lookup_recurrence(_NETWORKS.get(name, name))
    if next(iter(inspect.signature(cls).parameters), "") == "vocabulary_size":
        return cls, {}
    return RecurrentLanguageModel, {"cell": name}


_NETWORKS = {"tcn": "tcn_language_model", "transformer": "transformer_language_model"}
