"""Samples read once, resized and kept; what cannot be read is rejected by name."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path
from statistics import median

from torch import Tensor

from unrolled.errors import ReaderError, UnrolledError
from unrolled.readers.tensor_cache import Kept, TensorCache
from unrolled.readers.video import DamagedVideoWarning
from unrolled.tasks.learning import Show
from unrolled.tasks.video.data import Sample, VideoData
from unrolled.tasks.video.options import IN_MEMORY, VideoOptions
from unrolled.tasks.video.preprocessing import AnyPreprocessing, Preprocessing, VectorPreprocessing
from unrolled.tasks.video.weights import preprocessing_like
from unrolled.training.configuration import expand_path

_CROP_MARGIN = 8 / 7  # 128 for 112, as is usual


def kept_for(
    data: VideoData,
    options: VideoOptions,
    *,
    preprocessing: AnyPreprocessing | None = None,
    show: Show = lambda *_: None,
) -> tuple[VideoData, AnyPreprocessing]:
    """Return the data with its samples kept, and the preprocessing that they were kept for.

    That of vectors is to be fitted to what is learnt from, once that is known.

    Args:
        data: the samples.
        options: what a new network is to see, and where the samples are kept.
        preprocessing: of a network that there is already.
        show: is told how far it is.
    Raises:
        ReaderError: none can be read, or with ``strict`` not all of them, and in full.
    """
    if data.kept_for is not None and preprocessing in (None, data.kept_for):
        return data, data.kept_for
    if preprocessing is None:
        preprocessing = preprocessing_like(_chosen(data, options), options.weights)
    cache = cache_of(options)
    kept, lengths = keep_samples(data, preprocessing, cache, show=show)
    _require_sound(kept, strict=options.strict)
    notices = [*data.notices, *_notes(kept, options, lengths, cache)]
    return replace(kept, kept_for=preprocessing, notices=tuple(notices)), preprocessing


def cache_of(options: VideoOptions) -> TensorCache:
    """Return where decoded clips are kept."""
    folder = None if options.cache == IN_MEMORY else Path(expand_path(options.cache))
    return TensorCache(folder, most_bytes=round(2**30 * options.cache_gigabytes))


def keep_samples(
    data: VideoData,
    preprocessing: AnyPreprocessing,
    cache: TensorCache,
    *,
    show: Show = lambda *_: None,
) -> tuple[VideoData, list[int]]:
    """Read every sample once and keep it resized; one that cannot be read is rejected by name.

    Args:
        data: the samples.
        preprocessing: whose ``resized`` makes of the frames what is kept.
        cache: where they are kept.
        show: is told how far it is.

    Returns:
        The data with the samples that are usable, and how long each is; used and rejected are all
        that there were.
    """
    samples: list[Sample] = []
    keys: list[str] = []
    numbers: list[int] = []
    lengths: list[int] = []
    rejected, damaged = list(data.rejected), []
    how = f"{data.frames_per_second} {data.how} {_resizing(preprocessing)}"
    for number, sample in enumerate(data.samples):
        show(number / len(data.samples), "reading")
        key = f"{sample.digest} {how}"
        clip = cache.find(key)
        if clip is None:
            try:
                clip = _decoded(data.read, number, preprocessing)
            except UnrolledError as error:
                rejected.append((sample.name, f"{error.expected}: {error.got}"))
                continue
            cache.keep(key, clip)
        samples.append(sample)
        keys.append(key)
        numbers.append(number)
        lengths.append(len(clip.tensor))
        damaged += [(sample.name, words) for words in clip.damage]

    def read(place: int) -> Tensor:
        clip = cache.find(keys[place]) or _decoded(data.read, numbers[place], preprocessing)
        return clip.tensor

    kept = replace(
        data,
        samples=tuple(samples),
        read=read,
        rejected=tuple(rejected),
        damaged=tuple(damaged),
    )
    return kept, lengths


def _decoded(read: Callable[[int], Tensor], number: int, preprocessing: AnyPreprocessing) -> Kept:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", DamagedVideoWarning)
        frames = preprocessing.resized(read(number)).contiguous()
    return Kept(frames, tuple(str(warning.message) for warning in told))


def _resizing(preprocessing: AnyPreprocessing) -> str:
    """Return what decides of a preprocessing how its ``resized`` looks."""
    if isinstance(preprocessing, VectorPreprocessing):
        return "vectors"
    p = preprocessing
    return f"{p.height} {p.width} {p.resize} {p.shorter_side}"


def _require_sound(data: VideoData, strict: bool) -> None:
    faults = [*data.rejected, *data.damaged]
    if faults and (strict or not data.samples):
        expected = f"nothing damaged in {data.source}" if strict else f"clips in {data.source}"
        name, reason = faults[0]
        got = f"{len(data.rejected)} of {data.total} rejected, {len(data.damaged)} damaged"
        cure = "mend it, or drop --strict" if strict else ""
        raise ReaderError(expected, f"{got}; first {name}: {reason}", cure)


def tell(data: VideoData, parts: Mapping[str, Sequence[int]]) -> list[str]:
    """Return what the caller should know of kept data, a sentence each."""
    found = list(data.notices)
    for words, faults in (("rejected", data.rejected), ("damaged", data.damaged)):
        if faults:
            name, reason = faults[0]
            found.append(f"{len(faults)} of {data.total} {words}, first {name}: {reason}")
    if not parts["valid"]:
        found.append("too few groups to hold a part out: validation is on what is learnt")
    return found


def _notes(
    data: VideoData, options: VideoOptions, lengths: Sequence[int], cache: TensorCache
) -> list[str]:
    """Return what is to be known of samples that were kept, a sentence each."""
    found = []
    short = sum(length < options.clip_frames for length in lengths)
    if short:
        rate = "" if data.frames_per_second is None else f" at {data.frames_per_second:g} a second"
        found.append(
            f"{short} of {len(lengths)} are shorter than {options.clip_frames} frames{rate} (half "
            f"have {median(lengths):g} or fewer): their last frame then stands still"
        )
    if cache.homeless:
        found.append(
            f"{cache.homeless} of {len(lengths)} found no room in {options.cache_gigabytes:g} GiB "
            "of memory and are decoded whenever they come; --cache FOLDER keeps them all"
        )
    return found


def _chosen(data: VideoData, options: VideoOptions) -> AnyPreprocessing:
    """Return what suits the first sample that can be read, or what is known of all of them."""
    if data.channels is not None:
        return _for_pictures(data, options, data.channels)
    for number in range(len(data.samples)):
        try:
            frames = data.read(number)
        except UnrolledError:
            continue
        if frames.ndim == 2:
            width = frames.shape[1]
            return VectorPreprocessing((0.0,) * width, (1.0,) * width, data.frames_per_second)
        return _for_pictures(data, options, frames.shape[1])
    name, reason = data.rejected[0] if data.rejected else ("", "nothing that can be read")
    raise ReaderError(f"clips in {data.source}", f"{name}: {reason}" if name else reason)


def _for_pictures(data: VideoData, options: VideoOptions, channels: int) -> Preprocessing:
    margin = _CROP_MARGIN if options.crop else 1
    return Preprocessing(
        options.height,
        options.width,
        data.frames_per_second,
        resize=options.resize,
        shorter_side=ceil(margin * min(options.height, options.width)),
        mean=(0.5,) * channels,
        deviation=(0.25,) * channels,
    )
