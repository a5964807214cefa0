"""The native library's calls: their records and their types, as ``native/`` declares them."""

import ctypes
from functools import cache

import torch  # noqa: F401 (loads the OpenMP that the library shares)

from unrolled.kernels.library import LIBRARY


class ProgramHeader(ctypes.Structure):
    """A program, as ``native/program.h`` has it."""

    _fields_ = (
        ("buffers", ctypes.c_char_p),
        ("stages", ctypes.c_char_p),
        ("instructions", ctypes.c_char_p),
        ("products", ctypes.c_char_p),
        ("buffer_count", ctypes.c_int64),
        ("stage_count", ctypes.c_int64),
        ("reverse", ctypes.c_int64),
        ("scratch_floats", ctypes.c_int64),
        ("total_numbers", ctypes.c_int64),
        ("between_floats", ctypes.c_int64),
    )


class Source(ctypes.Structure):
    """A block of weights, and where its panels go."""

    _fields_ = (
        ("source", ctypes.c_void_p),
        ("k_stride", ctypes.c_int64),
        ("n_stride", ctypes.c_int64),
        ("first", ctypes.c_int64),
        ("k", ctypes.c_int64),
        ("total_k", ctypes.c_int64),
        ("n", ctypes.c_int64),
        ("weight", ctypes.c_int64),
    )


class LikeliestCall(ctypes.Structure):
    """What `kernels.likeliest` asks the library for."""

    _fields_ = (
        ("a", ctypes.c_void_p),
        ("packed", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
        ("columns", ctypes.c_void_p),
        ("log_sums", ctypes.c_void_p),
        ("rows", ctypes.c_int64),
        ("k", ctypes.c_int64),
        ("n", ctypes.c_int64),
        ("wanted", ctypes.c_int64),
        ("threads", ctypes.c_int64),
    )


class Arm(ctypes.Structure):
    """Hypotheses of a beam search."""

    _fields_ = (
        ("parents", ctypes.c_void_p),
        ("tokens", ctypes.c_void_p),
        ("scores", ctypes.c_void_p),
    )


class ExtendCall(ctypes.Structure):
    """What `kernels.extend` asks the library for."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("following", "tokens", "scores", "stops")),
        ("live_arm", Arm),
        ("ended_arm", Arm),
        *((name, ctypes.c_int64) for name in ("prompts", "hypotheses", "each", "stop_count")),
        *((name, ctypes.c_int64) for name in ("wanted", "live", "ended")),
    )


class StretchesCall(ctypes.Structure):
    """What `kernels.ragged` asks the library for."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("lengths", "resets", "counts", "row")),
        *((name, ctypes.c_void_p) for name in ("begins_anew", "home", "places", "inverse")),
        *((name, ctypes.c_int64) for name in ("batch", "steps", "room", "anew", "without")),
    )


class GatherCall(ctypes.Structure):
    """Which rows `kernels.ragged` asks the library to copy."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("origin", "index", "to")),
        *((name, ctypes.c_int64) for name in ("rows", "bytes", "threads")),
    )


class DepthwiseCall(ctypes.Structure):
    """What `kernels.frames` asks the library for."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("frames", "weight", "bias", "out")),
        *((name, ctypes.c_int64) for name in ("count", "taps", "channels", "height", "width")),
        *((name, ctypes.c_int64) for name in ("kernel_height", "kernel_width", "stride")),
        *((name, ctypes.c_int64) for name in ("pad_height", "pad_width")),
        *((name, ctypes.c_int64) for name in ("out_height", "out_width", "rectifies", "threads")),
    )


class Call(ctypes.Structure):
    """A run of a program over steps."""

    _fields_ = (
        ("program", ctypes.c_void_p),
        ("packed", ctypes.c_void_p),
        ("tensors", ctypes.c_void_p),
        ("counts", ctypes.c_void_p),
        ("steps", ctypes.c_int64),
        ("threads", ctypes.c_int64),
        ("split", ctypes.c_int64),
        ("taken", ctypes.c_int64),
    )


@cache
def load() -> ctypes.CDLL | None:
    """Return the library, or None; torch has loaded the OpenMP that both then share."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError:
        return None
    library.unrolled_best_isa.restype = ctypes.c_int64
    library.unrolled_lanes.restype = ctypes.c_int64
    library.unrolled_lanes.argtypes = (ctypes.c_int64,)
    library.unrolled_pack.restype = None
    library.unrolled_pack.argtypes = (
        ctypes.c_int64,
        ctypes.POINTER(Source),
        ctypes.c_int64,
        ctypes.c_void_p,
        ctypes.c_int64,
    )
    library.unrolled_likeliest.restype = ctypes.c_int64
    library.unrolled_likeliest.argtypes = (ctypes.c_int64, ctypes.POINTER(LikeliestCall))
    library.unrolled_extend.restype = ctypes.c_int64
    library.unrolled_extend.argtypes = (ctypes.POINTER(ExtendCall),)
    library.unrolled_stretches.restype = ctypes.c_int64
    library.unrolled_stretches.argtypes = (ctypes.POINTER(StretchesCall),)
    library.unrolled_neighbours.restype = None
    library.unrolled_neighbours.argtypes = (
        ctypes.POINTER(ctypes.c_int64),
        ctypes.c_int64,
        ctypes.c_void_p,
        ctypes.c_void_p,
    )
    library.unrolled_gather.restype = None
    library.unrolled_gather.argtypes = (ctypes.POINTER(GatherCall),)
    library.unrolled_depthwise.restype = None
    library.unrolled_depthwise.argtypes = (ctypes.c_int64, ctypes.POINTER(DepthwiseCall))
    library.unrolled_run.restype = ctypes.c_int64
    library.unrolled_run.argtypes = (ctypes.c_int64, ctypes.POINTER(Call))
    return library
