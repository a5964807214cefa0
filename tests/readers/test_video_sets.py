"""Data sets as people have them; nothing that is found is lost without a word."""

from pathlib import Path

import pytest

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.video_items import VideoItem
from unrolled.readers.video_sets import fold_by_group, read_video_set, split_by_group


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def reasons(found) -> dict[str, str]:
    return {rejected.path.name: rejected.reason for rejected in found.rejected}


def test_a_folder_of_one_folder_per_class(tmp_path: Path) -> None:
    touch(tmp_path, "run/a.mp4", "run/deep/b.AVI", "jump/c.mkv", "jump/notes.txt", "jump/.x.mp4")
    touch(tmp_path, "read.me")
    (tmp_path / "sit").mkdir()
    found = read_video_set(tmp_path)
    assert found.class_names == ("jump", "run")
    assert [(i.path.name, i.label) for i in found.items] == [
        ("c.mkv", "jump"),
        ("a.mp4", "run"),
        ("b.AVI", "run"),
    ]
    assert reasons(found) == {
        "notes.txt": "a .txt file is no video",
        "read.me": "it lies in no folder of a class",
        "sit": "a class folder without videos",
    }
    assert len({item.group for item in found.items}) == 3


def test_folders_named_train_and_test_are_parts(tmp_path: Path) -> None:
    touch(tmp_path, "train/run/a.mp4", "test/run/b.mp4", "val/jump/c.mp4")
    found = read_video_set(tmp_path)
    assert {i.path.name: i.part for i in found.items} == {
        "a.mp4": "train",
        "b.mp4": "test",
        "c.mp4": "valid",
    }
    assert found.class_names == ("jump", "run")


@pytest.mark.parametrize("where", ["beside", "named"])
def test_ucf101(where: str, tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    names = [f"Archery/v_Archery_g0{g}_c0{c}.avi" for g in (1, 2) for c in (1, 2)]
    (lists / "classInd.txt").write_bytes(b"1 Archery\r\n2 Bowling\r\n")
    train = f"{names[2]} 1\r\n{names[3]} 1\r\nBowling/v_Bowling_g01_c01.avi 2\r\n"
    (lists / "trainlist01.txt").write_text(train)
    (lists / "testlist01.txt").write_text(f"{names[0]}\r\n{names[1]}\r\n")
    videos = tmp_path / ("UCF-101" if where == "beside" else "elsewhere")
    touch(videos, *names)
    found = read_video_set(lists, videos=None if where == "beside" else videos)
    assert found.class_names == ("Archery", "Bowling")
    assert [(i.path.stem[-7:], i.group, i.part) for i in found.items] == [
        ("g02_c01", "Archery/v_Archery_g02", "train"),
        ("g02_c02", "Archery/v_Archery_g02", "train"),
        ("g01_c01", "Archery/v_Archery_g01", "test"),
        ("g01_c02", "Archery/v_Archery_g01", "test"),
    ]
    assert reasons(found) == {"v_Bowling_g01_c01.avi": "nothing there"}
    alone = read_video_set(lists / "testlist01.txt", videos=videos)
    assert [item.label for item in alone.items] == ["Archery", "Archery"]


def test_hmdb51(tmp_path: Path) -> None:
    lines = "film_1_wave_f_cm_np1_ba_med_0.avi 1 \nfilm_1_wave_f_cm_np1_ba_med_1.avi 1 \n"
    (tmp_path / "wave_test_split2.txt").write_text(lines + "b_wave_u_0.avi 2 \nc_wave_u_0.avi 0 \n")
    names = [line.split()[0] for line in lines.splitlines()]
    touch(tmp_path / "wave", *names, "b_wave_u_0.avi", "c_wave_u_0.avi")
    found = read_video_set(tmp_path, split=2)
    assert [(i.label, i.group, i.part) for i in found.items] == [
        ("wave", "film_1", "train"),
        ("wave", "film_1", "train"),
        ("wave", "b", "test"),
    ]


def test_a_list_of_paths_and_labels(tmp_path: Path) -> None:
    touch(tmp_path, "a b.mp4", "c.mp4", "d.mp4")
    (tmp_path / "list.txt").write_text(
        "a b.mp4 10\nc.mp4 9\n\nnone.mp4 9\nd.mp4\nc.mp4 9\nc.mp4 10\n"
    )
    found = read_video_set(tmp_path / "list.txt")
    assert [(i.path.name, i.label) for i in found.items] == [("a b.mp4", "10"), ("c.mp4", "9")]
    assert found.class_names == ("9", "10")
    assert [(r.path.name, r.reason) for r in found.rejected] == [
        ("none.mp4", "nothing there"),
        ("d.mp4", "the list gives it no label"),
        ("c.mp4", "listed before"),
        ("c.mp4", "listed before as 9, here as 10"),
    ]


def test_a_csv_of_stretches(tmp_path: Path) -> None:
    touch(tmp_path / "videos", "a.mp4", "b.mp4")
    (tmp_path / "list.csv").write_text(
        "path,start_seconds,end_seconds,label\na.mp4,1.5,3,open the door\na.mp4,3,5,close\n"
        "b.mp4,,,close\nb.mp4,5,2,close\nb.mp4,soon,9,close\nb.mp4,nan,,close\n"
    )
    found = read_video_set(tmp_path / "list.csv", videos=tmp_path / "videos")
    assert [(i.label, i.start_seconds, i.stop_seconds, i.group) for i in found.items] == [
        ("open the door", 1.5, 3.0, "a.mp4"),
        ("close", 3.0, 5.0, "a.mp4"),
        ("close", None, None, "b.mp4"),
    ]
    assert [r.reason for r in found.rejected] == [
        "its stretch ends at 2 s, and begins at 5 s",
        "soon to 9 are no seconds",
        "nan to nothing are no seconds",
    ]


def test_a_csv_of_sequences(tmp_path: Path) -> None:
    touch(tmp_path, "DTI/x.png", "RTI/x.png", "rows.csv")
    (tmp_path / "list.csv").write_text(
        "path,label,group\n*/x.png,a,anna\nrows.csv#3,b,ben\n*/y.png,b,\n"
    )
    found = read_video_set(tmp_path / "list.csv")
    assert [(i.path.name, i.group) for i in found.items] == [
        ("x.png", "anna"),
        ("rows.csv#3", "ben"),
    ]
    assert reasons(found) == {"y.png": "nothing there"}


def test_a_group_pattern(tmp_path: Path) -> None:
    touch(tmp_path, "run/day1_a.mp4", "run/day1_b.mp4", "run/day2_a.mp4", "run/other.mp4")
    found = read_video_set(tmp_path, group=r"(day\d)_")
    assert [item.group for item in found.items] == ["day1", "day1", "day2"]
    assert reasons(found) == {"other.mp4": r"the group pattern '(day\\d)_' is not in its path"}
    with pytest.raises(ConfigError, match="a pattern with --group"):
        read_video_set(tmp_path, group="(")


@pytest.mark.parametrize("kind", ["missing", "empty folder", "no heading", "empty list"])
def test_nothing_to_use_is_one_line(kind: str, tmp_path: Path) -> None:
    path = {"no heading": tmp_path / "a.csv", "empty list": tmp_path / "a.txt"}.get(kind, tmp_path)
    if kind in ("no heading", "empty list"):
        path.write_text("a.mp4,run\n" if kind == "no heading" else "gone.mp4 run\n")
    path = path / "gone" if kind == "missing" else path
    with pytest.raises(ReaderError) as error:
        read_video_set(path)
    assert "\n" not in str(error.value)


def items(*groups: tuple[str, str, int]) -> list[VideoItem]:
    return [
        VideoItem(Path(f"{label}/{group}-{n}.mp4"), label, None, None, group)
        for label, group, count in groups
        for n in range(count)
    ]


def test_a_split_keeps_groups_whole_and_classes_alike() -> None:
    found = items(*((label, f"{label}{g}", 1 + g % 3) for label in "abc" for g in range(20)))
    parts = split_by_group(found, {"train": 0.8, "valid": 0.1, "test": 0.1}, seed=3)
    assert sorted(i.path for part in parts.values() for i in part) == sorted(i.path for i in found)
    groups = [group for part in parts.values() for group in {item.group for item in part}]
    assert len(groups) == len(set(groups))
    for label in "abc":
        share = sum(i.label == label for i in parts["train"]) / sum(i.label == label for i in found)
        assert share == pytest.approx(0.8, abs=0.08)
    assert parts == split_by_group(found, {"train": 0.8, "valid": 0.1, "test": 0.1}, seed=3)
    assert parts != split_by_group(found, {"train": 0.8, "valid": 0.1, "test": 0.1}, seed=4)


def test_a_class_of_few_groups_is_in_every_part() -> None:
    found = items(
        ("a", "a1", 9), ("a", "a2", 9), ("a", "a3", 9), *(("b", f"b{n}", 5) for n in range(9))
    )
    parts = split_by_group(found, {"train": 8, "valid": 1, "test": 1})
    assert all({item.label for item in part} == {"a", "b"} for part in parts.values())


def test_folds_hold_out_everything_once() -> None:
    found = items(*(("a", f"g{n}", 2) for n in range(7)))
    folds = fold_by_group(found, 3)
    assert sorted(i.path for _, out in folds for i in out) == sorted(i.path for i in found)
    assert all(not {i.group for i in learnt} & {i.group for i in out} for learnt, out in folds)
    with pytest.raises(ConfigError, match="from 2 to 7 folds"):
        fold_by_group(found, 8)
