"""From names and options to a captioner that joins a network over pictures with a decoder."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from unrolled.encoders import PictureNetwork
from unrolled.errors import ConfigError
from unrolled.models import Captioner, PictureCaptioner
from unrolled.models.picture_captioner import annotation_size
from unrolled.registry import lookup, names
from unrolled.tasks.model_folder import require_fitting_sizes
from unrolled.tasks.network_options import build_with, options_of, plain_options, unlike
from unrolled.training.configuration import require_kind

DEFAULT_MODEL = "show_attend_tell"
_ENCODER = "encoder."  # before the name of an option: it is the encoder's
_SMALL = {  # for two cores and few words; on many pictures --set model.hidden_size=512 and the like
    "embedding_size": 64,
    "hidden_size": 192,
    "attention_size": 64,
    "doubly_stochastic": 0.0,  # it asks for every place to be looked at, and these have a wall
}
_USUAL_ENCODER = {"plain_cnn": {"width": 16, "depth": 4, "pooled": 3}}
_POSITIONS = "positions"  # among the options of the encoder; what it gives has them if wanted
_DECIDED = ("vocabulary_size", "feature_size")


def build_captioner(
    name: str, encoder: str, vocabulary_size: int, options: Mapping[str, Any]
) -> PictureCaptioner:
    """Build the captioner that a name and the name of an encoder stand for.

    Args:
        name: of the decoder in the registry.
        encoder: of the network over pictures.
        vocabulary_size: words that the decoder knows.
        options: of the decoder; those whose names begin with "encoder." are the encoder's, and
            "encoder.positions" tells every place of a picture its row and column, and every
            frame of a film whereabouts things are in it, and when it is.
    Raises:
        ConfigError: an unknown name or option, or a network of another kind.
    Example:
        >>> options = {"hidden_size": 7, "encoder.width": 2}
        >>> model = build_captioner("show_attend_tell", "plain_cnn", 11, options)
        >>> model.grid(32, 32)
        (4, 4)
    """
    chosen = captioner_options(name, encoder)
    mine = {key: chosen[key] for key in chosen if chosen[key] is not None} | dict(options)
    seen = _of_encoder(mine)
    positions = seen.pop(_POSITIONS, False)
    require_kind(f"{_ENCODER}{_POSITIONS}", positions, bool)
    looking = build_with(encoder_class(encoder), encoder, {}, seen, _of_encoder(chosen))
    size = annotation_size(looking, films=captioner_class(name).films, positions=positions)
    given = {"vocabulary_size": vocabulary_size, "feature_size": size}
    allowed = _of_decoder(chosen)
    decoder = build_with(captioner_class(name), name, given, _of_decoder(mine), allowed)
    return PictureCaptioner(looking, decoder, positions=positions)


def restore_captioner(
    model: Mapping[str, Any], vocabulary_size: int, tensors: Mapping[str, Tensor]
) -> PictureCaptioner:
    """Return the captioner that a model folder tells of, with its tensors, in eval().

    Raises:
        ReaderError: a size that the tensors do not bear out.
    """
    name, encoder = model["name"], model["encoder"]
    # A folder from before there were positions does not speak of them: it has none.
    options = {f"{_ENCODER}{_POSITIONS}": False} | model["options"]
    require_fitting_sizes(unlike(captioner_options(name, encoder), options), dict(tensors))
    captioner = build_captioner(name, encoder, vocabulary_size, options)
    captioner.load_state_dict(dict(tensors))
    return captioner.eval()


def captioner_options(name: str, encoder: str) -> dict[str, Any]:
    """Return the options of a decoder and of an encoder with what they usually are in this task."""
    decoder = options_of(captioner_class(name), _DECIDED)
    decoder |= {key: size for key, size in _SMALL.items() if key in decoder}
    seen = options_of(encoder_class(encoder), ("class_count", "input_channels"))
    seen |= _USUAL_ENCODER.get(encoder, {})
    seen |= {_POSITIONS: True}
    return decoder | {f"{_ENCODER}{key}": value for key, value in seen.items()}


def resolved_options(name: str, encoder: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with those left out, as far as a file can hold their values."""
    return plain_options(captioner_options(name, encoder)) | dict(options)


def captioner_class(name: str) -> type[Captioner[Any, Any, Any]]:
    """Return the class of a decoder.

    Raises:
        ConfigError: there is none of this name, or it does not describe pictures.
    """
    cls = lookup(name)
    if not issubclass(cls, Captioner):
        raise ConfigError("a model that describes pictures or films", repr(name), _captioners())
    return cls


def encoder_class(name: str) -> type[PictureNetwork]:
    """Return the class of a network over pictures.

    Raises:
        ConfigError: there is none of this name, or it is none over single pictures.
    """
    cls = lookup(name)
    if not issubclass(cls, PictureNetwork):
        cure = "such as plain_cnn, resnet18 or vgg16"
        raise ConfigError("an --encoder over pictures", repr(name), cure)
    return cls


def _captioners() -> str:
    found = [name for name in names() if issubclass(lookup(name), Captioner)]
    return f"name one of {', '.join(found)}"


def _of_encoder(options: Mapping[str, Any]) -> dict[str, Any]:
    return {k.removeprefix(_ENCODER): v for k, v in options.items() if k.startswith(_ENCODER)}


def _of_decoder(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if not key.startswith(_ENCODER)}
