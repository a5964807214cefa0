"""Programs run natively against the same in float64 torch, and torch's own LSTM and GRU."""

import random
from pathlib import Path

import pytest
import torch

from tests.kernels import programs
from tests.kernels.machines import choose, every_isa, needs_library
from unrolled.kernels import naive, native
from unrolled.kernels.encode import MAX_TERMS, STAGE_BYTES
from unrolled.kernels.program import Block, Buffer, Kind, Operand, Product, Program

WIDTHS = [1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 48, 50, 64, 97]


def draw_counts(draw: random.Random) -> list[int]:
    """Return equal, ragged, or ending rows; sometimes none at all."""
    steps, batch = draw.randint(1, 6), draw.choice([1, 2, 5, 9, 20])
    if draw.random() < 0.4:
        return [batch] * steps
    return sorted((draw.randint(0, batch) for _ in range(steps)), reverse=True)


def worst(got: list, expected: list) -> float:
    errors = [0.0]
    for one, other in zip(got, expected, strict=True):
        if one is not None and one.numel():
            errors.append(float((one - other).abs().max() / other.abs().max().clamp(min=1)))
    return max(errors)


@every_isa
@pytest.mark.parametrize("seed", range(25))
def test_random_programs_agree_with_torch(seed: int, isa: str, monkeypatch) -> None:
    choose(isa, monkeypatch)
    draw = random.Random(seed)
    width, between = draw.choice(WIDTHS), draw.choice(WIDTHS)
    program = programs.random_program(draw, width, between)
    counts = draw_counts(draw)
    start = programs.random_tensors(program, counts)
    matrices = [torch.randn(97, 97) / 10 for _ in range(4)]
    matrices[1] = matrices[1].T  # any strides
    matrices[2] = torch.randn(97, 194)[:, ::2] / 10
    packed = native.pack(program, matrices, 2)
    expected = programs.copies(start, torch.float64)
    naive.run(program, expected, [m.double() for m in matrices], counts)
    results = []
    for threads, split in ((1, "automatic"), (2, "rows"), (2, "columns")):
        tensors = programs.copies(start)
        native.run(program, packed, tensors, counts, threads, split)
        assert worst(tensors, expected) < 2e-6
        assert all(programs.guards_hold(t) for t in tensors if t is not None)
        results.append(tensors)
    # How the work is split changes nothing but the order in which totals are added.
    for other in results[1:]:
        for place in range(len(program.buffers)):
            if program.buffers[place].kind not in (Kind.TILE, Kind.BETWEEN, Kind.TOTAL):
                assert torch.equal(results[0][place], other[place])


@every_isa
@pytest.mark.parametrize("seed", range(12))
def test_products_go_by_turns_only_where_none_sees_it(seed: int, isa: str, monkeypatch) -> None:
    choose(isa, monkeypatch)
    draw = random.Random(seed)
    program = programs.random_products(draw, draw.choice([120, 600]))
    counts = draw.choice([[1], [1, 1, 1], [9, 9, 2]])
    width, matrix = program.buffers[0].width, torch.randn(600, 600) / 20
    start = [programs.guarded(counts[0], width) for _ in range(2)]
    start.append(programs.guarded(sum(counts), width))
    expected = programs.copies(start, torch.float64)
    naive.run(program, expected, [matrix.double()], counts)
    packed = native.pack(program, [matrix])
    assert len(packed.encoding.stages) < STAGE_BYTES * len(program.stages)
    for threads, split in ((1, "automatic"), (2, "columns")):
        tensors = programs.copies(start)
        native.run(program, packed, tensors, counts, threads, split)
        assert worst(tensors, expected) < 1e-5
        assert all(map(programs.guards_hold, tensors))


def test_the_library_has_room_for_as_many_products_as_are_joined() -> None:
    header = Path(__file__).parents[2] / "native" / "program.h"
    assert f"MAX_TERMS = {MAX_TERMS};" in header.read_text()


@needs_library
def test_however_many_products_follow_each_is_added() -> None:
    count = 2 * MAX_TERMS + 3
    buffers = (Buffer(Kind.ROWS, 8), Buffer(Kind.ROWS, 20))
    products = (
        Product(Operand(0), (Block(n, 0, 0, 8),), 20, Operand(1), Operand(1)) for n in range(count)
    )
    program = Program(buffers, tuple(products))
    a, out, matrices = torch.randn(3, 8), torch.zeros(3, 20), torch.randn(count, 8, 20)
    native.run(program, native.pack(program, [*matrices]), [a, out], [3])
    torch.testing.assert_close(out, a @ matrices.sum(0), rtol=0, atol=1e-4)


@every_isa
@pytest.mark.parametrize(("k", "n"), [(37, 101), (5, 3), (64, 256)])
def test_a_row_does_not_depend_on_how_many_there_are(k: int, n: int, isa: str, monkeypatch) -> None:
    choose(isa, monkeypatch)
    buffers = (Buffer(Kind.ROWS, k), Buffer(Kind.ROWS, n))
    product = Product(Operand(0), (Block(0, 0, 0, k),), n, Operand(1))
    program = Program(buffers, (product,))
    packed = native.pack(program, [torch.randn(k, n)], 1)
    a, alone = torch.randn(70, k), torch.zeros(70, n)
    for row in range(70):
        native.run(program, packed, [a[row], alone[row]], [1], 1)
    for rows in range(1, 71):
        together = torch.zeros(rows, n)
        native.run(program, packed, [a[:rows], together], [rows], 1)
        assert torch.equal(together, alone[:rows])


@pytest.mark.parametrize("run", ["naive", pytest.param("native", marks=needs_library)])
@pytest.mark.parametrize("batch", [1, 7, 33])
def test_an_lstm_and_a_gru_are_those_of_torch(batch: int, run: str) -> None:
    T, C, H = 9, 5, 19
    for kind, program in ((torch.nn.LSTM, programs.lstm(H)), (torch.nn.GRU, programs.gru(H))):
        layer, x = kind(C, H), torch.randn(T, batch, C)
        with torch.no_grad():
            y = layer(x)[0].flatten(0, 1)
            projected = x.flatten(0, 1) @ layer.weight_ih_l0.T + layer.bias_ih_l0
        counts = [batch] * T
        if kind is torch.nn.LSTM:
            projected += layer.bias_hh_l0.detach()
            tensors = programs.lstm_tensors(projected, counts, H)
        else:
            tensors = programs.gru_tensors(projected, layer.bias_hh_l0.detach(), counts, H)
        weight = layer.weight_hh_l0.detach()
        if run == "naive":
            naive.run(program, tensors, [weight], counts)
        else:
            native.run(program, native.pack(program, [weight]), tensors, counts)
        torch.testing.assert_close(tensors[1], y, rtol=0, atol=1e-6)


@needs_library
@pytest.mark.parametrize("counts", [[], [0], [0, 0], [3, 1, 0, 0]])
def test_steps_without_rows_do_nothing(counts: list[int]) -> None:
    program, weight = programs.lstm(4), torch.randn(16, 4)
    gates = torch.randn(sum(counts), 16)
    one, other = (programs.lstm_tensors(gates, counts, 4) for _ in range(2))
    native.run(program, native.pack(program, [weight]), one, counts, 2, "rows")
    naive.run(program, other, [weight], counts)
    assert worst(one, other) < 1e-6


@needs_library
def test_large_work_is_shared_and_the_result_is_the_same() -> None:
    T, B, H = 12, 24, 160
    program, weight = programs.lstm(H), torch.randn(4 * H, H) / H**0.5
    packed, gates, counts = native.pack(program, [weight]), torch.randn(T * B, 4 * H), [B] * T
    one, two = (programs.lstm_tensors(gates, counts, H) for _ in range(2))
    native.run(program, packed, one, counts, 1)
    native.run(program, packed, two, counts, 2)
    assert torch.equal(one[1], two[1])


@needs_library
def test_nan_stays_in_its_row() -> None:
    program, weight = programs.lstm(20), torch.randn(80, 20)
    gates = torch.randn(12, 80)
    gates[4, 3] = torch.nan  # row 1 of step 1
    tensors = programs.lstm_tensors(gates, [3] * 4, 20)
    native.run(program, native.pack(program, [weight]), tensors, [3] * 4)
    rows = tensors[1].isnan().any(1).view(4, 3)
    assert rows.tolist() == [[False] * 3] + [[False, True, False]] * 3


@needs_library
def test_denormals_are_kept_by_the_rest_of_the_program() -> None:
    torch.set_flush_denormal(False)  # as it is unless somebody asks for it
    program, counts = programs.lstm(4), [2]
    packed = native.pack(program, [torch.randn(16, 4)])
    for threads in (1, 2):
        tensors = programs.lstm_tensors(torch.randn(2, 16), counts, 4)
        native.run(program, packed, tensors, counts, threads, "rows")
    assert torch.tensor([1e-40]).mul(0.5).item() > 0


@needs_library
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux lists its libraries")
def test_there_is_one_openmp() -> None:
    native.available()
    lines = Path("/proc/self/maps").read_text().splitlines()
    assert len({line.split()[-1] for line in lines if "gomp" in line}) <= 1
