"""Images to learn from: handwritten digits, a rendered traffic scene, and folders of photographs."""

from gancore.images.folders import Folder, celeba
from gancore.images.handwritten import (
    CLASSES,
    FOLDER,
    IMAGES,
    SIDES,
    ImageSet,
    Missing,
    banner,
    data_folder,
    digits,
    known,
    load,
    mnist,
    pick,
)
from gancore.images.traffic import TrafficScene

__all__ = [
    "CLASSES",
    "FOLDER",
    "IMAGES",
    "SIDES",
    "Folder",
    "ImageSet",
    "Missing",
    "TrafficScene",
    "banner",
    "celeba",
    "data_folder",
    "digits",
    "known",
    "load",
    "mnist",
    "pick",
]
