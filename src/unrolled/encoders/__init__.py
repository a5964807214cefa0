"""Pictures and clips to features and classes; one file a paper."""

from unrolled.encoders.alexnet import AlexNet
from unrolled.encoders.backbone import Backbone, backbone_of, without_head
from unrolled.encoders.c3d import C3D
from unrolled.encoders.clip import ClipNetwork
from unrolled.encoders.deck import DeckEarlyFusion, DeckLateFusion, DeckSlowFusion
from unrolled.encoders.fusion import (
    EarlyFusion,
    LateFusion,
    LateFusionPooling,
    SingleFrame,
    SlowFusion,
)
from unrolled.encoders.i3d import I3D
from unrolled.encoders.inception import InceptionV1
from unrolled.encoders.inflation import Inflated, InflatedPictures, inflate
from unrolled.encoders.mobilenet_v2 import MobileNetV2
from unrolled.encoders.picture import PictureNetwork, PooledPictures, over_pictures
from unrolled.encoders.plain_cnn import PlainCNN
from unrolled.encoders.r2plus1d import MC3, R3D, R2Plus1D
from unrolled.encoders.resnet import ResNet18, ResNet34, ResNet50
from unrolled.encoders.s3d import S3D
from unrolled.encoders.squeezenet import SqueezeNet11
from unrolled.encoders.vgg import VGG16

__all__ = [
    "C3D",
    "I3D",
    "MC3",
    "R3D",
    "S3D",
    "VGG16",
    "AlexNet",
    "Backbone",
    "ClipNetwork",
    "DeckEarlyFusion",
    "DeckLateFusion",
    "DeckSlowFusion",
    "EarlyFusion",
    "InceptionV1",
    "Inflated",
    "InflatedPictures",
    "LateFusion",
    "LateFusionPooling",
    "MobileNetV2",
    "PictureNetwork",
    "PlainCNN",
    "PooledPictures",
    "R2Plus1D",
    "ResNet18",
    "ResNet34",
    "ResNet50",
    "SingleFrame",
    "SlowFusion",
    "SqueezeNet11",
    "backbone_of",
    "inflate",
    "over_pictures",
    "without_head",
]
