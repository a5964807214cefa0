"""``unrolled inspect``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from unrolled.cli.imports import Imports, run_imports
from unrolled.cli.output import print_json, print_table, progress_bar
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from unrolled.diagnostics import Inspection, Specimen
    from unrolled.tasks.captioning.model import CaptioningModel


def inspect(
    name: str,
    /,
    *,
    input: str | None = None,
    set: Annotated[list[str] | None, Parameter(negative="")] = None,
    depth: int | None = None,
    probe: Annotated[bool, Parameter(negative="")] = False,
    max_steps: int = 16384,
    import_: Imports = (),
    json: bool = False,
) -> None:
    """Show a network layer by layer: shapes, parameters, multiply-accumulates, what it sees.

    Example: unrolled inspect lstm --set input_size=300 --set hidden_size=512
    Example: unrolled inspect c3d --input T=16,C=3,H=112,W=112 --probe

    Args:
        name: a name that `unrolled list` shows, or a run folder or model folder.
        input: sizes of one input in the order of the tensor, such as T=16,C=3,H=112,W=112; the
            whole of it is then followed through the network. A network over pictures or clips
            takes the size it is published with if there is none.
        set: KEY=VALUE, an option of the named network; repeat it for more. Sizes that are needed
            and not given are chosen small, and shown.
        depth: add layers up that have this much of their names in common, 1 for the coarsest.
        probe: measure the receptive fields of a network over pictures or clips by gradient too.
        max_steps: how far back the receptive field of a recurrence is probed at most.
        import_: a Python file of yours that registers the model's cell.
        json: print one JSON object and nothing else.
    """
    from unrolled.diagnostics import Specimen, inspect_recurrence, parse_options, specimen
    from unrolled.diagnostics.network_input import parse_input, takes_clips
    from unrolled.diagnostics.network_inspection import build_weightless
    from unrolled.registry import lookup, names
    from unrolled.tasks.table import load_model

    run_imports(import_)
    options, kept = parse_options(set or []), None
    if name not in names() and ("/" in name or Path(name).exists()):
        if set:
            raise ConfigError("no --set for a model folder", " ".join(set))
        task, loaded = load_model(Path(name))
        if task.name == "captioning":
            _captioner(name, loaded, input, depth, probe, max_steps, json)
            return
        kept = loaded.network
    if input is not None or takes_clips(lookup(name) if kept is None else type(kept)):
        sizes = None if input is None else parse_input(input)
        module, used = kept, options
        if module is None:
            module, used = build_weightless(name, options, (sizes or {}).get("C"))
        _whole(name, module, used, sizes, depth, probe, json)
        return
    looked_at = Specimen(kept, {}, []) if kept is not None else specimen(name, options)
    inspection = inspect_recurrence(looked_at.module, max_steps=max_steps)
    if json:
        chosen = {"options": looked_at.options, "chosen": looked_at.chosen}
        print_json({"name": name, **chosen, **inspection.figures()})
    else:
        _show(name, looked_at, inspection)


def _captioner(
    name: str,
    loaded: "CaptioningModel",
    input: str | None,
    depth: int | None,
    probe: bool,
    max_steps: int,
    json: bool,
) -> None:
    """Follow a picture through the encoder, and a word through the decoder."""
    from unrolled.cli.inspect_network import show_network
    from unrolled.diagnostics import Specimen, inspect_recurrence
    from unrolled.diagnostics.network_inspection import inspect_network

    if input is not None:
        raise ConfigError("no --input for a captioning model", input)
    seen, network = loaded.preprocessing, loaded.network
    sizes = {"C": len(seen.mean), "H": seen.height, "W": seen.width}
    with progress_bar("probing") as bar:
        encoder = inspect_network(
            loaded.model["encoder"], network.encoder, sizes, probe=probe, progress=bar
        )
    decoder = inspect_recurrence(network.decoder, max_steps=max_steps)
    if json:
        parts = {"encoder": encoder.figures(), "decoder": decoder.figures()}
        print_json({"name": name, "options": loaded.model["options"], **parts})
        return
    show_network(loaded.model["encoder"], {}, encoder, depth)
    _show(loaded.model["name"], Specimen(network.decoder, {}, []), decoder)


def _whole(
    name: str,
    module: "nn.Module",
    options: dict[str, Any],
    sizes: dict[str, int] | None,
    depth: int | None,
    probe: bool,
    json: bool,
) -> None:
    """Follow one input through a network."""
    from unrolled.cli.inspect_network import show_network
    from unrolled.diagnostics.network_inspection import inspect_network

    with progress_bar("probing") as bar:
        inspection = inspect_network(name, module, sizes, probe=probe, progress=bar)
    if json:
        print_json({"name": name, "options": options, **inspection.figures()})
    else:
        show_network(name, options, inspection, depth)


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
