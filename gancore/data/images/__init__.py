"""Images to learn from: handwritten digits, a rendered traffic scene, and folders of photographs."""

from gancore.data.images.folders import Folder, celeba
from gancore.data.images.handwritten import IMAGES, SIDES, banner, digits, known, load, pick
from gancore.data.images.published import CLASSES, FOLDER, PUBLISHED, ImageSet, Missing, data_folder, mnist
from gancore.data.images.traffic import TrafficScene

__all__ = [
    "CLASSES",
    "FOLDER",
    "IMAGES",
    "PUBLISHED",
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
