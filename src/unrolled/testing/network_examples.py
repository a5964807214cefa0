"""The table of networks over pictures and clips: one small instance of each, for every check.

A name of the registry that stands for such a network and has no line here fails the coverage test.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from unrolled.encoders import (
    C3D,
    I3D,
    MC3,
    R3D,
    S3D,
    VGG16,
    AlexNet,
    ClipNetwork,
    DeckEarlyFusion,
    DeckLateFusion,
    DeckSlowFusion,
    EarlyFusion,
    InceptionV1,
    InflatedPictures,
    LateFusion,
    LateFusionPooling,
    MobileNetV2,
    PictureNetwork,
    PlainCNN,
    R2Plus1D,
    ResNet18,
    ResNet34,
    ResNet50,
    SingleFrame,
    SlowFusion,
    SqueezeNet11,
    inflate,
)
from unrolled.testing.examples import floats


@dataclass(frozen=True)
class NetworkExample:
    """A network and clips for it.

    Args:
        name: what the tests call it; the registry's, for one of its networks.
        build: makes the network; its weights are drawn from torch's generator.
        x: makes clips ``[B, T, C, H, W]``.
    """

    name: str
    build: Callable[[], PictureNetwork | ClipNetwork]
    x: Callable[[], Tensor]


CLIPS = floats(2, 7, 3, 37, 41)
SMALL_CLIPS = floats(2, 5, 3, 23, 29)  # for the deep ones

NETWORK_EXAMPLES = [
    NetworkExample(
        "alexnet", lambda: AlexNet(class_count=5, width=2, hidden_size=7), floats(2, 2, 3, 67, 71)
    ),
    NetworkExample(
        "c3d",
        lambda: C3D(class_count=5, frame_pixels=16, width=2, hidden_size=7),
        floats(2, 16, 3, 16, 16),
    ),
    NetworkExample("deck_early_fusion", lambda: DeckEarlyFusion(clip_frames=7), CLIPS),
    NetworkExample("deck_late_fusion", lambda: DeckLateFusion(class_count=5), CLIPS),
    NetworkExample("deck_slow_fusion", DeckSlowFusion, CLIPS),
    NetworkExample(
        "early_fusion", lambda: EarlyFusion(class_count=5, clip_frames=7, width=2), CLIPS
    ),
    NetworkExample("i3d", lambda: I3D(class_count=5, width=4), SMALL_CLIPS),
    NetworkExample(
        "i3d_from_pictures",
        lambda: I3D.from_pictures(InceptionV1(class_count=5, width=4)),
        SMALL_CLIPS,
    ),
    NetworkExample(
        "inception_v1", lambda: InceptionV1(class_count=5, width=4), floats(2, 2, 3, 19, 17)
    ),
    NetworkExample(
        "inflated_pictures", lambda: inflate(ResNet18(class_count=5, width=2)), SMALL_CLIPS
    ),
    NetworkExample(
        "inflated",
        lambda: InflatedPictures(class_count=5, network="resnet18", network_options={"width": 2}),
        SMALL_CLIPS,
    ),
    NetworkExample("late_fusion", lambda: LateFusion(class_count=5, clip_frames=7, width=2), CLIPS),
    NetworkExample("late_fusion_pooling", lambda: LateFusionPooling(class_count=5, width=2), CLIPS),
    NetworkExample("mc3_18", lambda: MC3(class_count=5, width=2), SMALL_CLIPS),
    NetworkExample("mobilenet_v2", lambda: MobileNetV2(class_count=5), SMALL_CLIPS),
    NetworkExample("squeezenet1_1", lambda: SqueezeNet11(class_count=5), SMALL_CLIPS),
    NetworkExample("plain_cnn", lambda: PlainCNN(class_count=5, width=2), CLIPS),
    NetworkExample("r2plus1d_18", lambda: R2Plus1D(class_count=5, width=2), SMALL_CLIPS),
    NetworkExample("r3d_18", lambda: R3D(class_count=5, width=2), SMALL_CLIPS),
    NetworkExample("resnet18", lambda: ResNet18(class_count=5, width=2), floats(2, 2, 3, 19, 17)),
    NetworkExample("resnet34", lambda: ResNet34(class_count=5, width=2), floats(2, 2, 3, 19, 17)),
    NetworkExample("resnet50", lambda: ResNet50(class_count=5, width=2), floats(2, 2, 3, 19, 17)),
    NetworkExample("s3d", lambda: S3D(class_count=5, width=4), SMALL_CLIPS),
    NetworkExample("single_frame", lambda: SingleFrame(class_count=5, width=2), CLIPS),
    NetworkExample("slow_fusion", lambda: SlowFusion(class_count=5, width=2), CLIPS),
    NetworkExample(
        "vgg16", lambda: VGG16(class_count=5, width=2, hidden_size=7), floats(2, 2, 3, 37, 41)
    ),
]
