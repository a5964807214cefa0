"""Recipes: named configurations that come with the package, and what ``--config`` may name."""

from difflib import get_close_matches
from pathlib import Path

from unrolled.errors import ReaderError

_FOLDER = Path(__file__).parents[1] / "recipes"


def recipes() -> dict[str, str]:
    """Return the recipes by name, each with its first line: what it reaches, and from what data.

    Example:
        >>> recipes()["ptb_small"].split("; ")[1]
        'reads $UNROLLED_DATA/lm_text/ptb'
    """
    found = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        found[path.stem] = path.read_text("utf-8").split("\n")[0].removeprefix("# ")
    return found


def find_configuration(name: str) -> Path:
    """Return the file that ``--config NAME`` means: a path, or else the recipe of this name.

    Raises:
        ReaderError: there is neither; the nearest recipe is offered.
    """
    path = Path(name)
    if path.is_file():
        return path
    known = recipes()
    if name in known:
        return _FOLDER / f"{name}.yaml"
    if path.is_dir():
        raise ReaderError("a configuration file", f"the folder {name}", f"try {name}/config.yaml")
    near = get_close_matches(name, known, n=1)
    cure = f"did you mean {near[0]}?" if near else "`unrolled list` names the recipes"
    raise ReaderError("a file, or the name of a recipe, for --config", repr(name), cure)
