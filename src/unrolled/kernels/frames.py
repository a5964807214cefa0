"""Convolutions of single frames, channels last in memory, each in one native call."""

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from unrolled.kernels import native
from unrolled.kernels.calls import DepthwiseCall
from unrolled.kernels.program import (
    Block,
    Buffer,
    Instruction,
    Kind,
    Op,
    Operand,
    Pointwise,
    Product,
    Program,
)

_LAST = torch.channels_last


class DepthwiseTaps:
    """A depthwise convolution over the frames that its taps meet; see ``naive.depthwise``.

    Shapes: a frame [N, C, H, W] float32, channels last; weight [C, 1, k, kh, kw]; bias [C].
    Args:
        weight: copied; of this moment.
        bias: or None.
        size: N, H and W.
        stride: of height and width.
        padding: of height and of width.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        size: tuple[int, int, int],
        *,
        stride: int,
        padding: tuple[int, int],
    ) -> None:
        channels, _, taps, *kernel = weight.shape
        count, *picture = size
        self._weight = weight[:, 0].permute(1, 2, 3, 0).contiguous()
        self._bias = None if bias is None else bias.contiguous()
        outer = [
            (extent + 2 * pad - reach) // stride + 1
            for extent, pad, reach in zip(picture, padding, kernel, strict=True)
        ]
        self._shape = (count, channels, *outer)
        self._places = (ctypes.c_void_p * taps)()
        self._call = DepthwiseCall(
            ctypes.addressof(self._places),
            self._weight.data_ptr(),
            None if self._bias is None else self._bias.data_ptr(),
            None,
            *(count, taps, channels, *picture, *kernel, stride, *padding, *outer),
        )

    def __call__(self, frames: Sequence[Tensor], *, rectifies: bool) -> Tensor:
        """Convolve the k frames that the taps meet, the newest last."""
        y = torch.empty(self._shape, memory_format=_LAST)
        self._places[:] = [frame.data_ptr() for frame in frames]
        call = self._call
        call.out, call.rectifies, call.threads = y.data_ptr(), rectifies, torch.get_num_threads()
        native.depthwise(call)
        return y


class PointwiseProduct:
    """A convolution of one place: y = x @ weight + bias + other, rectified if wanted.

    Shapes: x [N, C, H, W] float32, channels last; weight [C, D]; bias [D]; other and y
        [N, D, H, W], channels last.
    Args:
        weight: copied; of this moment.
        bias: or None.
        places: N times H times W.
        adds: whether there is another to add.
        rectifies: whether negative values become 0.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, places: int, *, adds: bool, rectifies: bool
    ) -> None:
        inputs, outputs = weight.shape
        x, y, other = Operand(0), Operand(1), Operand(3)
        init = Operand(2)
        work = []
        if adds:
            work.append(Instruction(Op.ADD, outputs, y, (y, other)))
        if rectifies:
            work.append(Instruction(Op.RELU, outputs, y, (y,)))
        kinds = ((Kind.ROWS, inputs), (Kind.ROWS, outputs), (Kind.VECTOR, outputs))
        buffers = [Buffer(kind, width) for kind, width in kinds]
        if adds:
            buffers.append(Buffer(Kind.ROWS, outputs))
        product = Product(x, (Block(0, 0, 0, inputs),), outputs, y, init)
        stages = (product, Pointwise(tuple(work))) if work else (product,)
        program = Program(tuple(buffers), stages)
        self.adds, self.rectifies, self._width = adds, rectifies, outputs
        self._bias = torch.zeros(outputs) if bias is None else bias.contiguous()
        room = weight.new_empty(places, max(inputs, outputs))
        tensors = [room.view(-1)[: places * width].view(places, width) for _, width in kinds[:2]]
        tensors.append(self._bias)
        if adds:
            tensors.append(tensors[1])
        packed = native.pack(program, [weight])
        self._run = native.prepare(program, packed, tensors, (places,))

    def __call__(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """Multiply the channels of every place."""
        rows, _, height, width = x.shape
        y = torch.empty((rows, self._width, height, width), memory_format=_LAST)
        self._run.put(0, x)
        self._run.put(1, y)
        if other is not None:
            self._run.put(3, other)
        self._run()
        return y
