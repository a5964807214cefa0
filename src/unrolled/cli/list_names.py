"""``unrolled list``."""

from unrolled.cli.output import print_json, print_table


def list_names(*, json: bool = False) -> None:
    """List what can be named: tasks, recipes, models, cells, layers and figures.

    Example: unrolled list

    Args:
        json: print one JSON object and nothing else.
    """
    from unrolled.cli.train import train
    from unrolled.diagnostics import catalogue
    from unrolled.figures import FIGURES
    from unrolled.tasks.recipes import recipes

    tasks = {name: train[name].help.split("\n")[0] for name in train if not name.startswith("-")}
    found = {"tasks": tasks, "recipes": recipes(), **catalogue(), "figures": FIGURES}
    if json:
        print_json(found)
        return
    for kind, members in found.items():
        print_table(kind, ("", ""), members.items())
    print("Run a recipe with: unrolled train TASK --config NAME")
    print("Build one with unrolled.build(NAME, ...), look at one with: unrolled inspect NAME")
