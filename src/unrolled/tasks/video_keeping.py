"""Samples read once, resized and kept; what cannot be read is rejected by name."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from statistics import median

from torch import Tensor

from unrolled.errors import ReaderError, UnrolledError
from unrolled.readers.video import DamagedVideoWarning
from unrolled.tasks.video_data import Sample, VideoData
from unrolled.tasks.video_options import VideoOptions
from unrolled.tasks.video_preprocessing import AnyPreprocessing, Preprocessing, VectorPreprocessing
from unrolled.tasks.video_weights import preprocessing_like

Show = Callable[[float, str], None]  # the share that is done, and a few words on it
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
        options: what a new network is to see.
        preprocessing: of a network that there is already.
        show: is told how far it is.
    """
    if data.kept_for is not None and preprocessing in (None, data.kept_for):
        return data, data.kept_for
    if preprocessing is None:
        preprocessing = preprocessing_like(_chosen(data, options), options.weights)
    kept = keep_samples(data, preprocessing.resized, strict=options.strict, show=show)
    return replace(kept, kept_for=preprocessing), preprocessing


def keep_samples(
    data: VideoData,
    resized: Callable[[Tensor], Tensor],
    *,
    strict: bool = False,
    show: Show = lambda *_: None,
) -> VideoData:
    """Read every sample once and keep it resized; one that cannot be read is rejected by name.

    Args:
        data: the samples.
        resized: makes of the frames what is kept.
        strict: refuse data of which anything is damaged or missing.
        show: is told how far it is.

    Returns:
        The data with the samples that are usable; used and rejected are all that there were.
    Raises:
        ReaderError: none can be read, or with ``strict`` not all of them, and in full.
    """
    kept: list[Tensor] = []
    samples: list[Sample] = []
    rejected, damaged = list(data.rejected), []
    for number, sample in enumerate(data.samples):
        show(number / len(data.samples), "reading")
        try:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always", DamagedVideoWarning)
                kept.append(resized(data.read(number)).contiguous())
        except UnrolledError as error:
            rejected.append((sample.name, f"{error.expected}: {error.got}"))
            continue
        samples.append(sample)
        damaged += [(sample.name, str(warning.message)) for warning in told]
    found = replace(
        data,
        samples=tuple(samples),
        read=kept.__getitem__,
        rejected=tuple(rejected),
        damaged=tuple(damaged),
    )
    _require_sound(found, strict)
    return found


def _require_sound(data: VideoData, strict: bool) -> None:
    faults = [*data.rejected, *data.damaged]
    if faults and (strict or not data.samples):
        expected = f"nothing damaged in {data.source}" if strict else f"clips in {data.source}"
        name, reason = faults[0]
        got = f"{len(data.rejected)} of {data.total} rejected, {len(data.damaged)} damaged"
        cure = "mend it, or drop --strict" if strict else ""
        raise ReaderError(expected, f"{got}; first {name}: {reason}", cure)


def tell(data: VideoData, parts: Mapping[str, Sequence[int]], options: VideoOptions) -> list[str]:
    """Return what the caller should know of kept data, a sentence each."""
    found = list(data.notices)
    for words, faults in (("rejected", data.rejected), ("damaged", data.damaged)):
        if faults:
            name, reason = faults[0]
            found.append(f"{len(faults)} of {data.total} {words}, first {name}: {reason}")
    if not parts["valid"]:
        found.append("too few groups to hold a part out: validation is on what is learnt")
    lengths = [len(data.read(number)) for number in range(len(data.samples))]
    short = sum(length < options.clip_frames for length in lengths)
    if short:
        rate = "" if data.frames_per_second is None else f" at {data.frames_per_second:g} a second"
        found.append(
            f"{short} of {len(lengths)} are shorter than {options.clip_frames} frames{rate} (half "
            f"have {median(lengths):g} or fewer): their last frame then stands still"
        )
    return found


def _chosen(data: VideoData, options: VideoOptions) -> AnyPreprocessing:
    """Return what suits the first sample that can be read."""
    for number in range(len(data.samples)):
        try:
            frames = data.read(number)
        except UnrolledError:
            continue
        if frames.ndim == 2:
            width = frames.shape[1]
            return VectorPreprocessing((0.0,) * width, (1.0,) * width, data.frames_per_second)
        margin = _CROP_MARGIN if options.crop else 1
        channels = frames.shape[1]
        return Preprocessing(
            options.height,
            options.width,
            data.frames_per_second,
            resize=options.resize,
            shorter_side=ceil(margin * min(options.height, options.width)),
            mean=(0.5,) * channels,
            deviation=(0.25,) * channels,
        )
    name, reason = data.rejected[0] if data.rejected else ("", "nothing that can be read")
    raise ReaderError(f"clips in {data.source}", f"{name}: {reason}" if name else reason)
