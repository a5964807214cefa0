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
# Multiply-adds, about 15 microseconds: sooner than in a recurrence, since the threads are awake
# from the call before.
_WORTH_A_TEAM = 1_000_000
_BIAS, _OTHER, _GATE, _SIGMOID = 2, 3, 4, 5  # buffers of a pointwise product, behind x and y


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


class ChannelGate:
    """What scales every channel of a picture: sigmoid(W_2 ReLU(W_1 mean(x) + b_1) + b_2).

    Shapes: x [1, C, H, W] float32, channels last; squeeze [S, C]; excite [C, S]; what is returned
        [1, C], written over by the next call.
    Args:
        squeeze: W_1, copied; of this moment.
        squeeze_bias: b_1, [S].
        excite: W_2, copied.
        excite_bias: b_2, [C].
    """

    def __init__(
        self, squeeze: Tensor, squeeze_bias: Tensor, excite: Tensor, excite_bias: Tensor
    ) -> None:
        squeezed, channels = squeeze.shape
        mean, inner, gate = Operand(0), Operand(1), Operand(2)
        into, out_of = Block(0, 0, 0, channels, True), Block(1, 0, 0, squeezed, True)
        stages = (
            Product(mean, (into,), squeezed, inner, Operand(3)),
            Pointwise((Instruction(Op.RELU, squeezed, inner, (inner,)),)),
            Product(inner, (out_of,), channels, gate, Operand(4)),
            Pointwise((Instruction(Op.SIGMOID, channels, gate, (gate,)),)),
        )
        widths = (channels, squeezed, channels)
        buffers = [Buffer(Kind.ROWS, width) for width in widths]
        buffers += [Buffer(Kind.VECTOR, squeezed), Buffer(Kind.VECTOR, channels)]
        program = Program(tuple(buffers), stages)
        tensors = [squeeze.new_empty(1, width) for width in widths]
        tensors += [squeeze_bias.contiguous(), excite_bias.contiguous()]
        self._gate = tensors[2]
        packed = native.pack(program, [squeeze, excite])
        self._run = native.prepare(program, packed, tensors, (1,))

    def __call__(self, x: Tensor) -> Tensor:
        """Look at all places of a picture."""
        mean = x.mean((-2, -1))
        self._run.put(0, mean)
        self._run()
        return self._gate


class PointwiseProduct:
    """A convolution of one place, and what is done to every place before it and behind it.

        x = gate x                       if gated
        x = x sigmoid(x)                 if it swishes
        y = x @ weight + bias + other
        y = max(y, 0)                    if it rectifies

    Shapes: x [N, C, H, W] float32, channels last, written over if it is gated or swishes; gate
        [1, C]; weight [C, D]; bias [D]; other and y [N, D, H, W], channels last.
    Args:
        weight: copied; of this moment.
        bias: or None.
        places: N times H times W.
        adds: whether there is another to add.
        rectifies: whether negative values become 0.
        gated: whether channels are scaled first.
        swishes: whether x goes through a swish first.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        places: int,
        *,
        adds: bool,
        rectifies: bool,
        gated: bool = False,
        swishes: bool = False,
    ) -> None:
        inputs, outputs = weight.shape
        x, y = Operand(0), Operand(1)
        before, after = [], []
        if gated:
            before.append(Instruction(Op.MUL, inputs, x, (x, Operand(_GATE))))
        if swishes:
            before.append(Instruction(Op.SIGMOID, inputs, Operand(_SIGMOID), (x,)))
            before.append(Instruction(Op.MUL, inputs, x, (x, Operand(_SIGMOID))))
        if adds:
            after.append(Instruction(Op.ADD, outputs, y, (y, Operand(_OTHER))))
        if rectifies:
            after.append(Instruction(Op.RELU, outputs, y, (y,)))
        product = Product(x, (Block(0, 0, 0, inputs),), outputs, y, Operand(_BIAS))
        ahead = (Pointwise(tuple(before)),) if before else ()
        behind = (Pointwise(tuple(after)),) if after else ()
        program = Program(_buffers(inputs, outputs), (*ahead, product, *behind))
        self._width = outputs
        bias = torch.zeros(outputs) if bias is None else bias.contiguous()
        room = weight.new_empty(places, max(inputs, outputs))
        rows = [room.view(-1)[: places * width].view(places, width) for width in weight.shape]
        gate = weight.new_empty(inputs)
        packed = native.pack(program, [weight])
        tensors = (*rows, bias, rows[1], gate, None)
        split = "rows" if places * inputs * outputs > _WORTH_A_TEAM else "automatic"
        self._run = native.prepare(program, packed, tensors, (places,), split=split)

    def __call__(
        self, x: Tensor, other: Tensor | None = None, gate: Tensor | None = None
    ) -> Tensor:
        """Multiply the channels of every place."""
        rows, _, height, width = x.shape
        y = torch.empty((rows, self._width, height, width), memory_format=_LAST)
        self._run.put(0, x)
        self._run.put(1, y)
        if other is not None:
            self._run.put(_OTHER, other)
        if gate is not None:
            self._run.put(_GATE, gate)
        self._run()
        return y


def _buffers(inputs: int, outputs: int) -> tuple[Buffer, ...]:
    return (
        Buffer(Kind.ROWS, inputs),
        Buffer(Kind.ROWS, outputs),
        Buffer(Kind.VECTOR, outputs),
        Buffer(Kind.ROWS, outputs),
        Buffer(Kind.VECTOR, inputs),
        Buffer(Kind.TILE, inputs),
    )
