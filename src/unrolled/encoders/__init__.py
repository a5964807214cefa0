"""Pictures and clips to features and classes; one file a paper."""

from unrolled.encoders.picture import PictureNetwork, PooledPictures, over_pictures
from unrolled.encoders.resnet import ResNet18, ResNet34, ResNet50

__all__ = [
    "PictureNetwork",
    "PooledPictures",
    "ResNet18",
    "ResNet34",
    "ResNet50",
    "over_pictures",
]
