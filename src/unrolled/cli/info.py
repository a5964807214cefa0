"""``unrolled info``."""

from unrolled.cli.output import print_json, print_table


def info(*, json: bool = False) -> None:
    """Say what this installation runs on: versions, machine, extras.

    Example: unrolled info

    Args:
        json: print one JSON object and nothing else.
    """
    from unrolled.diagnostics import environment

    found = environment()
    if json:
        print_json(found)
        return
    extras = found.pop("extras")
    rows = [(name.replace("_", " "), str(value)) for name, value in found.items()]
    for extra, lacking in extras.items():
        rows.append((f"extra: {extra}", f"lacks {', '.join(lacking)}" if lacking else "complete"))
    print_table("This installation", ("", ""), rows)
