"""What the lecture decks have wrong about a network, to stand at the foot of its table."""

SLIPS: dict[str, tuple[str, ...]] = {
    "c3d": (
        "deck 000 gives fc6, fc7 and fc8 as .51, .45 and .05 and 39.5 in all; in GMAC they are "
        "0.0189, 0.0168 and 0.0020 where pool5 gives 3 x 3 maps, 38.53 in all",
        "the authors' model pads pool5, as here: fc6 reads 8,192 numbers and has 0.0336 GMAC",
    ),
    "deck_slow_fusion": (
        "deck 000 gives the last row as 24 x 1 x 1; pooling over time and places leaves "
        "24 x 1 x 1 x 1",
    ),
    "vgg16": (
        "deck 000 says 13.6 and that C3D costs 2.9 times as much; it is 15.47 GMAC, and 2.49",
    ),
}
