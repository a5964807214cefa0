"""Pictures and clips to features and classes; one file a paper."""

from unrolled.encoders.mobilenet_v2 import MobileNetV2
from unrolled.encoders.picture import PictureNetwork, PooledPictures, over_pictures
from unrolled.encoders.resnet import ResNet18, ResNet34, ResNet50
from unrolled.encoders.squeezenet import SqueezeNet11

__all__ = [
    "MobileNetV2",
    "PictureNetwork",
    "PooledPictures",
    "ResNet18",
    "ResNet34",
    "ResNet50",
    "SqueezeNet11",
    "over_pictures",
]
