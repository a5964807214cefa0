"""``unrolled export``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from unrolled.cli.output import notice, print_json


def export(
    name: str,
    /,
    *,
    to: Path,
    set: Annotated[list[str] | None, Parameter(negative="")] = None,
    json: bool = False,
) -> None:
    """Write one step of a model as a file for ONNX Runtime or torch.export, and check it.

    Example: unrolled export runs/language-1 --to step.onnx

    The file maps a frame and a state to an output and the next state, for any batch. The state to
    begin from lies beside it, in a .safetensors file of the same name.

    Args:
        name: a run folder or model folder, or a name that `unrolled list` shows.
        to: the file to write, which ends in .onnx or .pt2.
        set: KEY=VALUE, an option of the named network; repeat it for more. Sizes that are needed
            and not given are chosen small, and the weights are random.
        json: print one JSON object and nothing else.
    """
    from unrolled.diagnostics import example_input, parse_options, specimen
    from unrolled.errors import ConfigError
    from unrolled.export import export_step
    from unrolled.registry import names
    from unrolled.state import first_step

    if name not in names() and ("/" in name or Path(name).exists()):
        from unrolled.tasks.language.model import LanguageModel

        if set:
            raise ConfigError("no --set for a model folder", " ".join(set))
        module = LanguageModel.load(name).network.eval()
    else:
        module = specimen(name, parse_options(set or [])).module
    x = example_input(module, module.stride)
    exported = export_step(module, first_step(x, module.stride), to)
    if name in names():
        notice(f"{name} has random weights; name a run folder to export what was learnt")
    if json:
        print_json(
            {
                "path": str(exported.path),
                "state_path": str(exported.state_path),
                "inputs": exported.inputs,
                "outputs": exported.outputs,
                "largest_relative_difference": exported.difference,
            }
        )
        return
    print(f"{exported.path}: differs from the model by at most {exported.difference:.1e}")
    print(f"inputs   {' '.join(exported.inputs)}")
    print(f"outputs  {' '.join(exported.outputs)}")
    print(f"{exported.state_path}: the state to begin from")
