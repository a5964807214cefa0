"""Which positions are seen: the arithmetic of windows, views and joins."""

from unrolled.diagnostics.positions import Field, Part, Positions

CLIP = Positions.of_input("BTCHW", (1, 6, 3, 8, 10))


def test_windows_compose() -> None:
    field = Field(0, 0, 1, 0, 99).window(50, 3, 2, 1, 1).window(25, 3, 1, 1, 2)
    assert (field.size, field.jump) == (3 + 4 * 2, 2)
    assert field.seen(0) == (0, 5), "clipped at the edge of the input"
    assert field.seen(10) == (20 - 5, 20 + 5)


def test_a_rest_that_a_window_leaves_is_not_seen() -> None:
    field = Field(0, 0, 1, 0, 9).window(4, 3, 2, 0, 1)  # 10 positions give 4: the last is left
    assert field.every(4).seen() == (0, 8)


def test_a_view_joins_axes_and_parts_them_again() -> None:
    flat = CLIP.view((6, 3, 8, 10))
    assert flat.axes[0] == (Part("B", 1), Part("T", 6))
    assert flat.view((1, 6, 3, 8, 10)).axes == CLIP.axes
    assert CLIP.view((1, 18, 8, 10)).axes[1] == (Part("T", 6), Part("C", 3))


def test_a_view_that_parts_an_axis_sees_its_blocks() -> None:
    parted = CLIP.view((1, 3, 2, 3, 8, 10))
    assert (parted.fields["T"].size, parted.fields["T"].jump) == (2, 2)


def test_what_is_not_known_is_everything() -> None:
    assert {label: f.size for label, f in CLIP.everything((1, 5)).fields.items()} == {
        "T": 6,
        "H": 8,
        "W": 10,
    }


def test_unequal_strides_join_to_all_that_either_sees() -> None:
    slow = CLIP.slide(1, 3, 2, 2, 0, 1)
    assert CLIP.join(slow).fields["T"] == Field(0, 5, 0, 0, 5)
