"""``unrolled inspect``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from unrolled.cli.imports import Imports, run_imports
from unrolled.cli.output import print_json, print_table

if TYPE_CHECKING:
    from unrolled.diagnostics import Inspection, Specimen


def inspect(
    name: str,
    /,
    *,
    set: Annotated[list[str] | None, Parameter(negative="")] = None,
    max_steps: int = 16384,
    import_: Imports = (),
    json: bool = False,
) -> None:
    """Show a network layer by layer: shapes, parameters, multiply-accumulates, what it sees.

    Example: unrolled inspect lstm --set input_size=300 --set hidden_size=512

    Args:
        name: a name that `unrolled list` shows, or a run folder or model folder.
        set: KEY=VALUE, an option of the named network; repeat it for more. Sizes that are needed
            and not given are chosen small, and shown.
        max_steps: how far back its receptive field is probed at most.
        import_: a Python file of yours that registers the model's cell.
        json: print one JSON object and nothing else.
    """
    from unrolled.diagnostics import Specimen, inspect_recurrence, parse_options, specimen
    from unrolled.errors import ConfigError
    from unrolled.registry import names

    run_imports(import_)
    if name not in names() and ("/" in name or Path(name).exists()):
        from unrolled.tasks.language import LanguageModel

        if set:
            raise ConfigError("no --set for a model folder", " ".join(set))
        looked_at = Specimen(LanguageModel.load(name).network, {}, [])
    else:
        looked_at = specimen(name, parse_options(set or []))
    inspection = inspect_recurrence(looked_at.module, max_steps=max_steps)
    if json:
        options = {"options": looked_at.options, "chosen": looked_at.chosen}
        print_json({"name": name, **options, **inspection.figures()})
    else:
        _show(name, looked_at, inspection)


def _show(name: str, looked_at: "Specimen", inspection: "Inspection") -> None:
    census, unit = inspection.census, "MAC a block" if inspection.stride > 1 else "MAC a step"
    once = ("MAC once",) if census.macs_once else ()
    columns = ("layer", "class", "output", "parameters", unit, *once)
    rows = [
        (
            layer.name or "(itself)",
            layer.kind,
            "" if layer.output is None else _written(layer.output),
            f"{layer.parameters:,}",
            f"{layer.macs:,}",
            *([f"{layer.macs_once:,}"] if once else []),
        )
        for layer in census.layers
    ]
    total = [f"{census.parameters:,}", f"{census.macs:,}", *([f"{census.macs_once:,}"] * len(once))]
    rows.append(("total", "", "", *total))
    print_table(_title(name, looked_at), columns, rows, right=("parameters", unit, *once))
    print_table("", ("", ""), _facts(inspection, bool(once)))


def _title(name: str, looked_at: "Specimen") -> str:
    options = ", ".join(
        f"{key}={value}" + (" (chosen)" if key in looked_at.chosen else "")
        for key, value in looked_at.options.items()
    )
    return f"{name}: {options}" if options else name


def _facts(inspection: "Inspection", once: bool) -> list[tuple[str, str]]:
    facts = [
        ("input of a step", _written(inspection.x) or "one token"),
        ("state", f"{inspection.census.state_bytes:,} bytes a stream"),
    ]
    if inspection.context_bytes:
        facts.append(("context", f"{inspection.context_bytes:,} bytes a sequence"))
    facts.append(
        (
            "stride",
            f"{inspection.stride}" + (" steps in for one out" if inspection.stride > 1 else ""),
        )
    )
    facts.append(("receptive field", inspection.sight()))
    facts += [
        (f"loop of {path}" if path else "loop", how) for path, how in inspection.loops.items()
    ]
    facts += [(f"no promise in {what}", why) for what, why in inspection.limits.items()]
    facts.append(("MAC", "multiply-accumulates of matrix products and convolutions"))
    if once:
        facts.append(("MAC once", "for the initial state and the context of a sequence"))
    return facts


def _written(shape: tuple[Any, ...]) -> str:
    return " x ".join(map(str, shape))
