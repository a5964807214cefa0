"""``unrolled figure``."""

import time
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from unrolled.cli.output import print_json, print_table, progress_bar
from unrolled.errors import ConfigError
from unrolled.figures import FIGURES


def figure(
    *names: str,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    out: Path = Path("figures"),
    json: bool = False,
) -> None:
    """Compute figures of the lecture decks, and write each as PNG and SVG.

    Example: unrolled figure hello search_tree

    Args:
        names: of figures, which `unrolled list` shows.
        all_: every one of them.
        out: the folder for NAME.png and NAME.svg; files of these names are replaced.
        json: print one JSON object and nothing else.
    """
    chosen = _chosen(names, everything=all_)
    if find_spec("matplotlib") is None:
        raise ConfigError(
            "matplotlib, which draws the figures",
            "none",
            "install it: pip install 'unrolled[figures]'",
        )
    from unrolled.figures.drawing import drawn, save

    rows = []
    with progress_bar("drawing") as bar:
        for number, name in enumerate(chosen):
            bar(number / len(chosen), name)
            began = time.monotonic()
            png, svg = save(drawn(name), out, name)
            seconds = round(time.monotonic() - began, 2)
            files = {"png": str(png), "svg": str(svg)}
            rows.append({"name": name, "topic": FIGURES[name], **files, "seconds": seconds})
    if json:
        print_json({"figures": rows})
        return
    cells = [(str(r["name"]), f"{r['seconds']:.1f}", str(r["topic"])) for r in rows]
    print_table("drawn", ("figure", "seconds", "topic"), cells, right=("seconds",))
    print(f"each is in {out} as NAME.png and NAME.svg")


def _chosen(names: tuple[str, ...], *, everything: bool) -> list[str]:
    if everything != (not names):
        got = f"{' '.join(names)} and --all" if everything else "neither"
        raise ConfigError("names of figures or --all", got, f"there are {', '.join(FIGURES)}")
    for name in names:
        if name not in FIGURES:
            near = get_close_matches(name, FIGURES, n=1)
            cure = f"did you mean {near[0]}?" if near else ""
            raise ConfigError(f"a figure among {', '.join(FIGURES)}", repr(name), cure)
    return list(dict.fromkeys(names)) or list(FIGURES)
