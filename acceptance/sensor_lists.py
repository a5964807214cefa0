"""Lists of the sensor data of the recipes, as the video task reads them: path, label, group.

Run: UNROLLED_DATA=/data python -m acceptance.sensor_lists FOLDER

Writes ``hand_point_history.csv`` (a row of one CSV file an item) and ``mmwave_gesture.csv`` (two
pictures of one recording an item) into FOLDER. No subjects are known for either set. Recordings
that follow each other are alike, so runs of 50 rows, and of 10 recordings, are one group: a split
never has neighbours on both sides.
"""

import csv
import os
import sys
from itertools import groupby
from pathlib import Path

_GESTURES = ("Stop", "Clockwise", "Counter Clockwise", "Move")
_RUN_ROWS, _RUN_RECORDINGS = 50, 10


def hand_point_history(data: Path) -> list[tuple[str, str, str]]:
    """Return the items of the fingertip sequences, a row of the file each."""
    path = data / "skeleton" / "hand_point_history" / "point_history.csv"
    with path.open(encoding="utf-8") as file:
        labels = [int(row[0]) for row in csv.reader(file) if row]
    items, number = [], 0
    for label, run in groupby(labels):
        start = number
        for _ in run:
            group = f"{_GESTURES[label]} {start} {(number - start) // _RUN_ROWS}"
            items.append((f"{path}#{number}", _GESTURES[label], group))
            number += 1
    return items


def mmwave_gesture(data: Path) -> list[tuple[str, str, str]]:
    """Return the items of the radar gestures: Doppler and range of one recording, side by side."""
    home = data / "radar" / "mmwave_gesture" / "trainset"
    items = []
    for folder in sorted((home / "DTI").iterdir()):
        for picture in sorted(folder.glob("*.png")):
            number = int(picture.stem.removeprefix(folder.name))
            group = f"{folder.name} {number // _RUN_RECORDINGS}"
            items.append((f"{home}/*/{folder.name}/{picture.name}", folder.name, group))
    return items


def main(out: Path) -> None:
    """Write both lists."""
    data = Path(os.environ["UNROLLED_DATA"])
    out.mkdir(parents=True, exist_ok=True)
    for make in (hand_point_history, mmwave_gesture):
        with (out / f"{make.__name__}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("path", "label", "group"))
            writer.writerows(make(data))
        print(out / f"{make.__name__}.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
