"""A table of results as Markdown and as LaTeX."""

import re
from collections.abc import Sequence

_SPECIAL = re.compile(r"([&%$#_{}])")


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first hold numbers.

    Example:
        >>> print(markdown_table(["model", "top-1 %"], [["c3d", "61.0"]]))
        | model | top-1 % |
        |---|---:|
        | c3d | 61.0 |
    """
    head = f"| {' | '.join(columns)} |"
    rule = "|---|" + "---:|" * (len(columns) - 1)
    return "\n".join([head, rule, *(f"| {' | '.join(row)} |" for row in rows)])


def latex_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""Return a LaTeX table for the package booktabs.

    Example:
        >>> print(latex_table(["model", "top-1 %"], [["lrcn_a", "61.0"]]).splitlines()[4])
        lrcn\_a & 61.0 \\
    """
    lines = [_row(row) for row in rows]
    form = "l" + "r" * (len(columns) - 1)
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{form}}}",
            r"\toprule",
            _row(columns),
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _row(cells: Sequence[str]) -> str:
    escaped = (_SPECIAL.sub(r"\\\1", cell).replace("±", r"$\pm$") for cell in cells)
    return " & ".join(escaped) + r" \\"
