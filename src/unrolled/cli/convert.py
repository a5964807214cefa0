"""``unrolled convert``."""

from pathlib import Path

from unrolled.cli.output import notice, print_json


def convert(
    file: Path,
    /,
    *,
    to: str,
    out: Path | None = None,
    classes: Path | None = None,
    inflate: bool = False,
    json: bool = False,
) -> None:
    """Make a model folder of weights that another project published; nothing in them can run.

    Example: unrolled convert resnet18-f37072fd.pth --to resnet18 --out models/resnet18

    Args:
        file: .pth, .pt, .safetensors, .npz or .h5; where a well-known one is missing, the command
            that downloads it is printed.
        to: the network that the weights are of, a name that `unrolled list` shows.
        out: the folder to write, models/NAME by default.
        classes: a text file with the name of a class on every line; those of ImageNet and of
            Kinetics-400 are known.
        inflate: grow a network over pictures in time, to one over clips; what it says of a clip
            that repeats one picture is what it says of the picture.
        json: print one JSON object and nothing else.
    """
    from unrolled.tasks.conversion import FEATURES_ONLY
    from unrolled.tasks.conversion import convert as convert_weights

    folder = out or Path("models") / (f"{to}-inflated" if inflate else to)
    done = convert_weights(file, to, folder, class_names=classes, inflated=inflate)
    for note in done.notes:
        notice(note)
    has_classes = done.class_names != (FEATURES_ONLY,)
    if json:
        print_json(
            {
                "folder": str(done.folder),
                "network": done.network,
                "parameters": done.parameters,
                "classes": len(done.class_names) if has_classes else 0,
                "notes": list(done.notes),
            }
        )
        return
    classes_line = f"{len(done.class_names):,} classes" if has_classes else "features alone"
    print(f"{done.network}: {done.parameters:,} parameters, {classes_line}, in {done.folder}")
    if has_classes:
        shown = "clip.mp4" if inflate else "photo.jpg"
        print(f"label with it:  unrolled predict {done.folder} {shown}")
