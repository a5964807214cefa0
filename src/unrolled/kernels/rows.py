"""Which operations keep rows apart, so that the rows of all steps may go through them at once."""

from typing import Any

from unrolled.kernels.trace import BATCH, Node, UnplannableError, arguments_of

_ELEMENTWISE = frozenset(
    f"aten.{name}"
    for name in """
    neg sigmoid tanh relu exp log sqrt rsqrt reciprocal abs sign sin cos erf log1p expm1 add sub
    rsub mul div pow square lerp where clamp clamp_min clamp_max hardtanh leaky_relu addcmul addcdiv
    softplus silu gelu elu maximum minimum gt ge lt le eq ne logical_and logical_or logical_not
    bitwise_and bitwise_or bitwise_not remainder floor round clone alias detach contiguous _to_copy
    masked_fill fill zeros_like ones_like full_like
    """.split()  # noqa: SIM905 (a list of sixty names is easier to read as text)
)
_BY_ROW = frozenset(  # the first argument's rows, one by one
    f"aten.{name}"
    for name in """
    mm convolution max_pool2d_with_indices avg_pool2d _adaptive_avg_pool2d upsample_nearest2d
    upsample_bilinear2d constant_pad_nd
    """.split()  # noqa: SIM905
)
_ALONG = {  # by the place of the dimension among the arguments
    "aten.split": 2,
    "aten.split_with_sizes": 2,
    "aten.slice": 1,
    "aten.select": 1,
    "aten.unbind": 1,
    "aten.squeeze": 1,
    "aten.unsqueeze": 1,
    "aten._softmax": 1,
    "aten._log_softmax": 1,
    "aten.cumsum": 1,
    "aten.cat": 1,
    "aten.stack": 1,
    "aten.index_select": 1,
}
_REDUCTIONS = frozenset(("aten.sum", "aten.mean", "aten.amax", "aten.amin", "aten.var"))
_SHAPED = frozenset(("aten.view", "aten._unsafe_view", "aten.reshape", "aten.expand"))
_MADE = frozenset(
    (
        "aten.zeros",
        "aten.ones",
        "aten.full",
        "aten.empty",
        "aten.new_zeros",
        "aten.new_ones",
        "aten.new_full",
    )
)


def require_apart(node: Node) -> None:
    """Check that an operation works on each row by itself.

    Raises:
        UnplannableError: it may mix rows, or is not known not to.
    """
    if node.operation is None:
        return
    name = node.name.rpartition(".")[0]
    if not _keeps_apart(name, node):
        raise UnplannableError(f"{name} might let rows see each other")


def _keeps_apart(name: str, node: Node) -> bool:
    args = node.arguments
    rows = [arg for arg in arguments_of(node) if None in arg.shape]
    if not node.shape or node.shape[0] is not None or None in node.shape[1:]:
        return False
    if any(arg.shape[0] is not None or None in arg.shape[1:] for arg in rows):
        return False
    if name in _ELEMENTWISE:
        return all(len(arg.shape) == len(node.shape) for arg in rows)
    if name in _BY_ROW:
        return rows == [args[0]]
    if name == "aten.addmm":
        return rows == [args[1]] and len(args[0].shape) < 2
    if name in ("aten.bmm", "aten.baddbmm"):
        return len(rows) == len(args)
    if name == "aten.embedding":
        return rows == [args[1]]
    if name == "aten.native_layer_norm":
        return len(args[1]) < len(args[0].shape)
    if name in _ALONG:
        return _dim(args, _ALONG[name], node) != 0
    if name in _REDUCTIONS:
        return _reduces_rows_only(args)
    if name in ("aten.transpose", "aten.permute"):
        return _leaves_first(name, args)
    if name in _SHAPED:
        return bool(args[1]) and args[1][0] is BATCH and BATCH not in args[1][1:]
    if name in _MADE:
        sizes = args[1] if name.startswith("aten.new") else args[0]
        return bool(sizes) and sizes[0] is BATCH and BATCH not in sizes[1:]
    return False


def _dim(args: tuple[Any, ...], place: int, node: Node) -> int:
    dim = args[place] if len(args) > place else node.keywords.get("dim", 0)
    ndim = len(args[0].shape) if isinstance(args[0], Node) else len(node.shape)
    return int(dim) + ndim if dim < 0 else int(dim)


def _reduces_rows_only(args: tuple[Any, ...]) -> bool:
    if len(args) < 2 or not args[1]:
        return False
    dims = args[1] if isinstance(args[1], (list, tuple)) else [args[1]]
    return all(dim % len(args[0].shape) != 0 for dim in dims)


def _leaves_first(name: str, args: tuple[Any, ...]) -> bool:
    ndim = len(args[0].shape)
    if name == "aten.permute":
        return bool(args[1]) and int(args[1][0]) % ndim == 0
    return 0 not in (int(args[1]) % ndim, int(args[2]) % ndim)
