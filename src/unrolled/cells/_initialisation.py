"""How the weights of a cell start, written once for all of them."""

from torch import Tensor, nn

from unrolled.cells._options import check_choice


def initialise(
    cell: nn.Module, weight_hh: Tensor, hidden_size: int, recurrent_init: str = "uniform"
) -> None:
    """Draw every parameter from U(-1/sqrt(D), 1/sqrt(D)), then the recurrent squares as asked.

    Args:
        cell: whose parameters are drawn.
        weight_hh: those of its weights that stand before h, blocks of D rows ``[R·D, D]``.
        hidden_size: D.
        recurrent_init: "uniform" leaves it at that, as torch does; "orthogonal" makes each block a
            random rotation; "identity" makes each block I and every bias 0.
    """
    check_choice("recurrent_init", recurrent_init, "uniform", "orthogonal", "identity")
    for parameter in cell.parameters():
        nn.init.uniform_(parameter, -(hidden_size**-0.5), hidden_size**-0.5)
    for block in weight_hh.detach().split(hidden_size):
        if recurrent_init == "orthogonal":
            nn.init.orthogonal_(block)
        elif recurrent_init == "identity":
            nn.init.eye_(block)
    if recurrent_init == "identity":
        for name, parameter in cell.named_parameters():
            if name.startswith("bias"):
                nn.init.zeros_(parameter)


def add_to_block(bias: Tensor, block: int, hidden_size: int, value: float) -> None:
    """Add ``value`` to one gate's block of D biases."""
    bias.detach()[block * hidden_size : (block + 1) * hidden_size] += value
