"""The table that ``unrolled inspect`` prints of a network over pictures or clips."""

from typing import TYPE_CHECKING, Any

from unrolled.cli.output import print_table

if TYPE_CHECKING:
    from unrolled.diagnostics.anatomy import Anatomy
    from unrolled.diagnostics.network_inspection import NetworkInspection

_SEEN = ("T", "H", "W")
_BYTES, _MACS = ("bytes", "KiB", "MiB", "GiB"), ("MAC", "kMAC", "MMAC", "GMAC")


def show_network(
    name: str, options: dict[str, Any], inspection: "NetworkInspection", depth: int | None
) -> None:
    """Print the layers, and what is to be said about them."""
    table = inspection.table if depth is None else inspection.table.to_depth(depth)
    given = dict(zip(table.axes, table.shape, strict=True))
    field = "sees " + " x ".join(label for label in _SEEN if label in given)
    columns = ("layer", "class", "output", "parameters", "MAC", field)
    rows = [
        (
            layer.name.lstrip(":") or "(itself)",
            layer.kind,
            " x ".join(f"{size}" for size in layer.output.values()),
            f"{layer.parameters:,}",
            f"{layer.macs:,}",
            " x ".join(f"{layer.field[label]}" for label in _SEEN if label in layer.field),
        )
        for layer in table.layers
    ]
    rows.append(("total", "", "", f"{table.parameters:,}", f"{table.macs:,}", ""))
    settings = ", ".join(f"{key}={value}" for key, value in options.items())
    title = f"{name}: {settings}" if settings else name
    print_table(title, columns, rows, right=("parameters", "MAC", field))
    print_table("", ("", ""), _facts(inspection, table))


def _facts(inspection: "NetworkInspection", table: "Anatomy") -> list[tuple[str, str]]:
    number, given = table.parameters, zip(table.axes, table.shape, strict=True)
    facts = [
        ("input", "[B, " + ", ".join(f"{label}={size}" for label, size in given) + "]"),
        ("output", " x ".join(table.axes_of_outputs) + ", of those there are"),
        (
            "parameters",
            f"{number:,} in all, {_scaled(4 * number, 1024, _BYTES)} as float32",
        ),
        ("MAC", f"multiply-accumulates of an input, {_scaled(table.macs, 1000, _MACS)} in all"),
        ("sees", "positions of the input that one of the output depends on, by formula"),
    ]
    if inspection.probed:
        wrong = [probed for probed in inspection.probed if not probed.agrees]
        every = len(inspection.probed)
        facts.append(("by gradient", f"{every - len(wrong)} of {every} fields probed agree"))
        for probed in wrong:
            told, found = probed.expected, probed.measured
            facts.append((f"differs at {probed.layer}", f"formula {told}, gradient {found}"))
    facts += [("erratum", slip) for slip in inspection.slips]
    return facts


def _scaled(number: float, step: int, units: tuple[str, ...]) -> str:
    """Write a number in the largest unit that it fills."""
    power = 0
    while number >= step and power + 1 < len(units):
        number, power = number / step, power + 1
    return f"{number:,.4g} {units[power]}"
