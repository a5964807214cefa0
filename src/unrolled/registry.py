"""One literal table of names, so that tools and configurations can say which class they mean.

A configuration or a model file names entries of this table, never code to import.
"""

from difflib import get_close_matches
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence

_LIBRARY = {
    "bigram": "unrolled.models:BigramLanguageModel",
    "causal_small": "unrolled.models:CausalSmall",
    "cifg": "unrolled.cells:CIFG",
    "conv_gru": "unrolled.cells:ConvGRU",
    "conv_lstm": "unrolled.cells:ConvLSTM",
    "conv_rnn": "unrolled.cells:ConvRNN",
    "fgr": "unrolled.cells:FGR",
    "gru": "unrolled.cells:GRU",
    "layer_norm_lstm": "unrolled.cells:LayerNormLSTM",
    "linear_memory": "unrolled.cells:LinearMemory",
    "lstm": "unrolled.cells:LSTM",
    "lstm1997": "unrolled.cells:LSTM1997",
    "min_char_rnn": "unrolled.models:MinCharRNN",
    "mut1": "unrolled.cells:MUT1",
    "mut2": "unrolled.cells:MUT2",
    "mut3": "unrolled.cells:MUT3",
    "nfg": "unrolled.cells:NFG",
    "niaf": "unrolled.cells:NIAF",
    "nig": "unrolled.cells:NIG",
    "noaf": "unrolled.cells:NOAF",
    "nog": "unrolled.cells:NOG",
    "np": "unrolled.cells:NP",
    "peephole_lstm": "unrolled.cells:PeepholeLSTM",
    "recurrent_language_model": "unrolled.models:RecurrentLanguageModel",
    "rnn": "unrolled.cells:RNN",
    "show_attend_tell": "unrolled.models:ShowAttendTell",
    "tcn": "unrolled.models:TCN",
    "tcn_language_model": "unrolled.models:TCNLanguageModel",
    "transformer_language_model": "unrolled.models:CausalTransformerLanguageModel",
}
_REGISTERED: dict[str, type[Recurrence[Any, Any, Any, Any]]] = {}


def names() -> list[str]:
    """Return every name that ``build`` knows, in order."""
    return sorted(_LIBRARY | _REGISTERED)


def register(name: str, cls: type[Recurrence[Any, Any, Any, Any]]) -> None:
    """Give ``name`` to a class of your own; it is then usable wherever a name is.

    Raises:
        ConfigError: the name belongs to another class already, or cls is not a ``Recurrence``.
    """
    if not (isinstance(cls, type) and issubclass(cls, Recurrence)):
        raise ConfigError("a class derived from Recurrence", repr(cls))
    if name in _LIBRARY or _REGISTERED.get(name, cls) is not cls:
        raise ConfigError("a name that is free", repr(name), "choose another")
    _REGISTERED[name] = cls


def import_file(path: Path) -> None:
    """Run your own Python file, which registers classes of yours.

    Raises:
        ConfigError: there is no such file, or it fails.
    """
    spec = spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise ConfigError(f"a Python file at {path}", "none")
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        got = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{path} to run and register its classes", got) from error


def lookup(name: str) -> type[Recurrence[Any, Any, Any, Any]]:
    """Return the class that ``name`` stands for.

    Raises:
        ConfigError: no class has this name; the nearest ones are offered.
    """
    if name in _REGISTERED:
        return _REGISTERED[name]
    if name not in _LIBRARY:
        near = get_close_matches(name, names(), n=1)
        raise ConfigError(
            f"a name among {', '.join(names())}",
            repr(name),
            f"did you mean {near[0]}?"
            if near
            else "if it is yours, name its file by --import, or call "
            f"unrolled.register({name!r}, YourClass)",
        )
    module, _, cls = _LIBRARY[name].partition(":")
    found: type[Recurrence[Any, Any, Any, Any]] = getattr(import_module(module), cls)
    return found


def build(name: str, /, *sizes: int, **options: Any) -> Recurrence[Any, Any, Any, Any]:
    """Return a randomly initialised cell or network by its name.

    Example:
        >>> build("lstm", input_size=3, hidden_size=5).hidden_size
        5
    """
    try:
        return lookup(name)(*sizes, **options)
    except TypeError as error:
        raise ConfigError(f"options that {name!r} has", str(error)) from None
