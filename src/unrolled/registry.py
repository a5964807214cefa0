"""One literal table of names, so that tools and configurations can say which class they mean.

A configuration or a model file names entries of this table, never code to import.
"""

from difflib import get_close_matches
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, TypeAlias, cast

from torch import nn

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence

AnyRecurrence: TypeAlias = Recurrence[Any, Any, Any, Any]

_LIBRARY = {
    "alexnet": "unrolled.encoders:AlexNet",
    "bigram": "unrolled.models:BigramLanguageModel",
    "c3d": "unrolled.encoders:C3D",
    "causal_r2plus1d_18": "unrolled.models:CausalR2Plus1D",
    "causal_small": "unrolled.models:CausalSmall",
    "causal_x3d_s": "unrolled.models:CausalX3D",
    "cifg": "unrolled.cells:CIFG",
    "conv_gru": "unrolled.cells:ConvGRU",
    "conv_lstm": "unrolled.cells:ConvLSTM",
    "conv_rnn": "unrolled.cells:ConvRNN",
    "convlstm": "unrolled.models:ConvLSTMForecaster",
    "deck_early_fusion": "unrolled.encoders:DeckEarlyFusion",
    "deck_late_fusion": "unrolled.encoders:DeckLateFusion",
    "deck_slow_fusion": "unrolled.encoders:DeckSlowFusion",
    "early_fusion": "unrolled.encoders:EarlyFusion",
    "fgr": "unrolled.cells:FGR",
    "gru": "unrolled.cells:GRU",
    "gru_rcn": "unrolled.models:GRURCN",
    "i3d": "unrolled.encoders:I3D",
    "inception_v1": "unrolled.encoders:InceptionV1",
    "inflated": "unrolled.encoders:InflatedPictures",
    "late_fusion": "unrolled.encoders:LateFusion",
    "late_fusion_pooling": "unrolled.encoders:LateFusionPooling",
    "layer_norm_lstm": "unrolled.cells:LayerNormLSTM",
    "linear_memory": "unrolled.cells:LinearMemory",
    "lrcn": "unrolled.models:LRCN",
    "lrcn_captioner": "unrolled.models:LRCNCaptioner",
    "lstm": "unrolled.cells:LSTM",
    "lstm1997": "unrolled.cells:LSTM1997",
    "m_rnn": "unrolled.models:MRNN",
    "mc3_18": "unrolled.encoders:MC3",
    "mean_pool_captioner": "unrolled.models:MeanPoolCaptioner",
    "min_char_rnn": "unrolled.models:MinCharRNN",
    "minds_eye": "unrolled.models:MindsEye",
    "mobilenet_v2": "unrolled.encoders:MobileNetV2",
    "mut1": "unrolled.cells:MUT1",
    "mut2": "unrolled.cells:MUT2",
    "mut3": "unrolled.cells:MUT3",
    "neural_talk": "unrolled.models:NeuralTalk",
    "nfg": "unrolled.cells:NFG",
    "niaf": "unrolled.cells:NIAF",
    "nig": "unrolled.cells:NIG",
    "noaf": "unrolled.cells:NOAF",
    "nog": "unrolled.cells:NOG",
    "np": "unrolled.cells:NP",
    "peephole_lstm": "unrolled.cells:PeepholeLSTM",
    "plain_cnn": "unrolled.encoders:PlainCNN",
    "profile_lstm": "unrolled.models:ProfileLSTM",
    "r2plus1d_18": "unrolled.encoders:R2Plus1D",
    "r3d_18": "unrolled.encoders:R3D",
    "recurrent_classifier": "unrolled.models:RecurrentClassifier",
    "recurrent_language_model": "unrolled.models:RecurrentLanguageModel",
    "resnet18": "unrolled.encoders:ResNet18",
    "resnet34": "unrolled.encoders:ResNet34",
    "resnet50": "unrolled.encoders:ResNet50",
    "rnn": "unrolled.cells:RNN",
    "s2vt": "unrolled.models:S2VT",
    "s3d": "unrolled.encoders:S3D",
    "show_and_tell": "unrolled.models:ShowAndTell",
    "show_attend_tell": "unrolled.models:ShowAttendTell",
    "show_attend_tell_hard": "unrolled.models:HardShowAttendTell",
    "single_frame": "unrolled.encoders:SingleFrame",
    "slow_fusion": "unrolled.encoders:SlowFusion",
    "squeezenet1_1": "unrolled.encoders:SqueezeNet11",
    "tcn": "unrolled.models:TCN",
    "tcn_language_model": "unrolled.models:TCNLanguageModel",
    "temporal_attention": "unrolled.models:TemporalAttention",
    "transformer_language_model": "unrolled.models:CausalTransformerLanguageModel",
    "vgg16": "unrolled.encoders:VGG16",
}
_REGISTERED: dict[str, type[nn.Module]] = {}


def names() -> list[str]:
    """Return every name that ``build`` knows, in order."""
    return sorted(_LIBRARY | _REGISTERED)


def register(name: str, cls: type[nn.Module]) -> None:
    """Give ``name`` to a class of your own; it is then usable wherever a name is.

    Args:
        name: what configurations and the command line will call it.
        cls: a ``Recurrence``, or any ``torch.nn.Module`` where a task takes one.
    Raises:
        ConfigError: the name belongs to another class already, or cls is not a module's class.
    """
    if not (isinstance(cls, type) and issubclass(cls, nn.Module)):
        raise ConfigError("a class derived from Recurrence or torch.nn.Module", repr(cls))
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


def lookup(name: str) -> type[nn.Module]:
    """Return the class that ``name`` stands for: a ``Recurrence`` or an ordinary network.

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
            (f"did you mean {near[0]}? " if near else "")
            + "if it is yours, name its file by --import, or call "
            f"unrolled.register({name!r}, YourClass)",
        )
    module, _, cls = _LIBRARY[name].partition(":")
    found: type[nn.Module] = getattr(import_module(module), cls)
    return found


def lookup_recurrence(name: str) -> type[AnyRecurrence]:
    """Return the class that ``name`` stands for, where only a ``Recurrence`` will do.

    Raises:
        ConfigError: no class has this name, or it is that of an ordinary network.
    """
    cls = lookup(name)
    if issubclass(cls, Recurrence):
        return cls
    raise ConfigError(
        "the name of a Recurrence, which runs step by step",
        f"{name!r}, a network over whole inputs",
        "give it to a task over pictures or clips",
    )


def build(name: str, /, *sizes: int, **options: Any) -> nn.Module:
    """Return a randomly initialised cell or network by its name.

    Raises:
        ConfigError: no such name or option.
    Example:
        >>> build("lstm", input_size=3, hidden_size=5).hidden_size
        5
    """
    try:
        return lookup(name)(*sizes, **options)
    except TypeError as error:
        raise ConfigError(f"options that {name!r} has", str(error)) from None


def build_recurrence(name: str, /, *sizes: int, **options: Any) -> AnyRecurrence:
    """Do what ``build`` does, where only a ``Recurrence`` will do.

    Raises:
        ConfigError: no such name or option, or the network is no ``Recurrence``.
    """
    lookup_recurrence(name)
    return cast(AnyRecurrence, build(name, *sizes, **options))
