"""The judges that say which digit an image shows: a trained network for MNIST, a support vector machine for digits."""

import functools
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from gancore.choices import choose
from gancore.data.images import CLASSES, ImageSet, digits, mnist
from gancore.files import ROOT
from gancore.host import settle
from gancore.judges.weights import load_weights, provenance_of_weights, save_weights
from gancore.provenance import provenance

WEIGHTS = ROOT / "data" / "models" / "mnist-classifier.safetensors"
COMMAND = "python -m gancore classifier"
SIDE = 28
FEATURES = 128
EPOCHS, SEED = 8, 0
BATCH = 128
PEAK_RATE = 0.01
TURN, SHIFT = 0.2, 2.0  # how far an image is turned at most, in radians, and moved, in twenty-eighths of its side
IMAGES_AT_ONCE = 500
SVC_GAMMA = 0.001 * 8**2  # of scikit-learn's example, which has 0..16 where these have [-1, 1]

Judge = Callable[[Tensor], Tensor]


def _block(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.MaxPool2d(2), nn.BatchNorm2d(outputs), nn.ReLU())


class DigitClassifier(nn.Module):
    """A convolutional network on flat grey images of 28 x 28 in [-1, 1]: (..., 784) -> logits (..., 10)."""

    def __init__(self) -> None:
        super().__init__()
        blocks = [_block(1, 24), _block(24, 48), _block(48, 96)]
        last = [nn.Flatten(), nn.Linear(96 * 9, FEATURES, bias=False), nn.BatchNorm1d(FEATURES), nn.ReLU()]
        self.body = nn.Sequential(*blocks, *last)
        self.head = nn.Linear(FEATURES, CLASSES)
        self.to(memory_format=torch.channels_last)  # nearly twice as fast on a CPU

    def features(self, x: Tensor) -> Tensor:
        """What the last layer sees: (..., 784) -> (..., 128), from 0 up."""
        return self.body(x.reshape(-1, 1, SIDE, SIDE)).reshape(*x.shape[:-1], FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def train_classifier(
    images: ImageSet, epochs: int, seed: int, network: Callable[[], nn.Module] = DigitClassifier
) -> nn.Module:
    """A classifier made by `network` and trained on `images.train`, the same for the same seed; ready to judge."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = network()
        steps = epochs * (len(images.train) // BATCH)
        optimiser = torch.optim.AdamW(classifier.parameters())
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps)
        for _ in range(epochs):
            for rows in torch.randperm(len(images.train)).split(BATCH)[: len(images.train) // BATCH]:
                logits = classifier(moved(images.train[rows]))
                loss = functional.cross_entropy(logits, images.train_labels[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
    return classifier.eval()


def moved(x: Tensor) -> Tensor:
    """Each image turned and shifted at random, black coming in at the edges: (B, D) -> (B, D), from -1 up to 1."""
    side = round(x.shape[1] ** 0.5)
    angle = (2 * torch.rand(len(x)) - 1) * TURN
    shift = (2 * torch.rand(len(x), 2) - 1) * (2 * SHIFT / SIDE)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    grid = functional.affine_grid(torch.cat([turn, shift[..., None]], 2), [len(x), 1, side, side], align_corners=False)
    ink = functional.grid_sample((x + 1).view(-1, 1, side, side), grid, align_corners=False)
    return ink.flatten(1) - 1


@torch.no_grad()
def in_batches(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """`function`, (B, D) -> (B, *K), of all images, (..., D) -> (..., *K): no gradient, some hundreds at a time."""
    values = torch.cat([function(part) for part in x.reshape(-1, x.shape[-1]).split(IMAGES_AT_ONCE)])
    return values.reshape(x.shape[:-1] + values.shape[1:])


def accuracy(classifier: nn.Module, images: ImageSet) -> float:
    """The share of the held-out images that it names rightly, from 0 to 1."""
    named = _named_by(classifier)(images.held_out)
    return (named == images.held_out_labels).double().mean().item()


def _named_by(classifier: nn.Module) -> Judge:
    return lambda x: in_batches(lambda part: classifier(part).argmax(-1), x)


def save_classifier(path: Path, classifier: DigitClassifier, origin: Mapping[str, Any]) -> None:
    """Write weights and provenance to `path`, whole or not at all."""
    save_weights(path, classifier, origin)


def load_classifier(path: Path = WEIGHTS) -> DigitClassifier:
    """The stored classifier, ready to judge. Raises StudyError where the file is missing or damaged."""
    return load_weights(path, DigitClassifier(), COMMAND)


def stored_provenance(path: Path = WEIGHTS) -> dict[str, Any]:
    """Where the stored classifier comes from, and its held-out `accuracy`. Raises as `load_classifier` does."""
    return provenance_of_weights(path, COMMAND)


def renew() -> dict[str, Any]:
    """Train the classifier on MNIST and store it; its provenance. Raises StudyError as `mnist` does."""
    cpu = torch.device("cpu")
    settle(cpu)
    images, origin, began = mnist(), provenance(cpu), time.monotonic()
    classifier = train_classifier(images, EPOCHS, SEED)
    measured = {"accuracy": accuracy(classifier, images), "seconds": round(time.monotonic() - began)}
    origin |= measured | {"epochs": EPOCHS, "seed": SEED}
    save_classifier(WEIGHTS, classifier, origin)
    return origin


def judge(name: str) -> Judge:
    """Who says which class images of "mnist" or "digits" show: (..., D) in [-1, 1] -> labels (...) int64.

    Labels are on the device of the images, and CLASSES for what is not finite and so no image. Raises StudyError for
    other images and for damaged weights.
    """
    named = choose(JUDGES, name, "images to name the classes of")()

    def judged(x: Tensor) -> Tensor:
        finite = x.isfinite().all(-1)
        return named(x.where(finite[..., None], 0)).where(finite, CLASSES)

    return judged


@functools.cache
def _mnist_judge() -> Judge:
    on = functools.cache(lambda device: _named_by(load_classifier().to(device)))
    on(torch.device("cpu"))  # damaged weights are noticed now
    return lambda x: on(x.device)(x)


@functools.cache
def _digits_judge() -> Judge:
    from sklearn.svm import SVC  # scikit-learn takes a second to import, which those who judge no digits are spared

    images = digits()
    machine = SVC(gamma=SVC_GAMMA).fit(images.train.numpy(), images.train_labels.numpy())
    return lambda x: in_batches(lambda part: torch.from_numpy(machine.predict(part.cpu().numpy())), x).to(x.device)


JUDGES = {"mnist": _mnist_judge, "digits": _digits_judge}
