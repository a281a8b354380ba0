"""Which classes a generator shows, when, from which part of its latents, and how good its images of them are."""

import math
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from gancore.choices import choose
from gancore.data.images import CLASSES, load
from gancore.data.latents import labelled_latents
from gancore.games.guided import gradient_size
from gancore.judges.classifier import in_batches, load_classifier
from gancore.judges.guide import Moments, class_moments, load_guide
from gancore.metrics.described import Quantity, share
from gancore.metrics.finite import of_finite
from gancore.metrics.images import (
    Gaussian,
    frechet_distance,
    gaussian_of,
    inception_score,
    similarity_within,
    variance_ratio,
)
from gancore.metrics.modes import modes_of
from gancore.metrics.pictures import CLASS_QUANTITIES, class_measures
from gancore.observers.kinds import Kind
from gancore.observers.needs import having, known_latents, known_target
from gancore.observers.points import evaluated, sampler
from gancore.training.loop import Earlier, Measure
from gancore.training.population import Population
from gancore.values import Count, Positive, Several

FID = Quantity("Frechet distance in a classifier's features", least=0, better="lower")
PAIRS = 20  # of images of a class that are compared
SURE = 0.9  # an image is recognised if a class is named with this probability
# In whose features generated images are compared with real ones: the judge's, and for the small digits, whose judge has
# none, the guide's.
EXTRACTORS = {"mnist": load_classifier, "digits": partial(load_guide, "digits")}


def shares(runs: Population, *, points: Count, reach: Positive = math.inf) -> Measure:
    """`mode_shares` (R, modes): the part of `points` generated points that shows each class of images, or mode.

    Of a mode of Gaussians are the points within `reach` of its mean, if that is given, else all that are nearest to it.
    """
    sample = sampler(runs, points)
    modes = modes_of(known_target(runs), reach)

    def measure(earlier: Earlier) -> dict[str, Tensor]:
        return {"mode_shares": of_finite(modes.shares)(sample())}

    return measure


def sections(runs: Population, *, points: Count) -> Measure:
    """`section_shares` (R, asked, shown): of the images asked for as one class, the part that shows each class."""
    modes, latents = modes_of(known_target(runs)), labelled_latents(known_latents(runs))
    asked = latents.labels(evaluated(latents, runs, points))
    sample = sampler(runs, points)

    member = one_hot(asked, latents.classes).float()  # (R, n, asked)

    @of_finite
    def shares_by_class(x: Tensor) -> Tensor:
        shown = member.mT @ one_hot(modes.name(x), modes.count).float()
        return shown / member.sum(1).unsqueeze(2)

    return lambda earlier: {"section_shares": shares_by_class(sample())}


def quality(runs: Population, *, points: Several) -> Measure:
    """`points` generated images in the eyes of the classifier that judges, each (R,).

    `classes` and `class_kl` as in `gancore.metrics.pictures`; `fid` and `inception_score` with the classifier in
    place of Inception; `variance_ratio` and `ms_ssim` within the classes that it sees: `gancore.metrics.images`. The
    reference are held-out images; `real_fid` and `real_ms_ssim` say what so many training images would get.
    """
    target, sample = known_target(runs), sampler(runs, points)
    choose(EXTRACTORS, having(target, "images").images, "images with a classifier")
    modes, judged = modes_of(target), reference(target.images, points, runs.device)
    extractor = judged.extractor

    @of_finite
    def of_images(x: Tensor) -> dict[str, Tensor]:
        features, label = in_batches(extractor.features, x), modes.name(x)
        return {
            **class_measures(one_hot(label, modes.count).float().mean(1)),
            "fid": frechet_distance(gaussian_of(features), judged.gaussian).float(),
            "inception_score": inception_score(in_batches(extractor.head, features).softmax(2)),
            "variance_ratio": variance_ratio(features, label, judged.moments),
            "ms_ssim": similarity_within(x, label, modes.count, PAIRS),
            "real_fid": judged.fid.expand(len(x)),
            "real_ms_ssim": judged.ms_ssim.expand(len(x)),
        }

    return lambda earlier: of_images(sample())


def extractor_of(images: str) -> nn.Module:
    """The classifier in whose features these images are compared. Raises StudyError where there is none for them."""
    return choose(EXTRACTORS, images, "images to compare in a classifier's features")()


class Reference(NamedTuple):
    """Held-out images as the classifier that judges sees them, and what as good as the real ones would be."""

    extractor: nn.Module
    gaussian: Gaussian
    moments: Moments
    fid: Tensor
    ms_ssim: Tensor


@cache
def reference(images: str, points: int, device: torch.device) -> Reference:
    """What `quality` compares with, for the images of this name; the last two of the first `points` training images."""
    there, extractor = load(images), extractor_of(images).to(device)
    features, shown = (in_batches(extractor.features, x.to(device)) for x in (there.held_out, there.train[:points]))
    gaussian, moments = gaussian_of(features), class_moments(features, there.held_out_labels.to(device), CLASSES)
    similarity = similarity_within(there.train[None, :points], there.train_labels[None, :points], CLASSES, PAIRS)
    fid = frechet_distance(gaussian_of(shown), gaussian).float()
    return Reference(extractor, gaussian, moments, fid, similarity[0].to(device))


def recognised(images: str, x: Tensor) -> Tensor:
    """Share of the images that are named with a probability of SURE or more: (R, n, D) -> (R,); NaN counts as not.

    By the classifier of EXTRACTORS for the images of this name. Nearly all real ones are; noise may be as well, so
    it says that images are legible only of a generator that shows more than one class.
    """
    network = extractor_of(images)
    return (in_batches(lambda part: network(part).softmax(-1).amax(-1), x) >= SURE).float().mean(1)


def pulls(runs: Population) -> Measure:
    """`pull` (R, terms): how hard each term of a guided generator's loss pulls, unweighted, at fixed latents."""
    having(runs.game, "terms")
    drawn = [part.clone() for part in runs.draw(0)]

    def measure(earlier: Earlier) -> dict[str, Tensor]:
        batch = runs.game.batch(*drawn)
        batch = replace(batch, fake=batch.fake.detach().requires_grad_())
        terms = runs.game.terms(batch)
        return {"pull": torch.stack([gradient_size(term, batch.fake) for term in terms.values()], 1)}

    return measure


KINDS = {
    "shares": Kind(shares, "moment", {"mode_shares": share("points of each mode", dimensions=("mode",))}),
    "sections": Kind(
        sections,
        "page",
        {"section_shares": share("classes shown where one is asked for", dimensions=("asked", "shown"))},
    ),
    "quality": Kind(
        quality,
        "step",
        {
            **CLASS_QUANTITIES,
            "fid": FID,
            "inception_score": Quantity("inception score", least=1, most=CLASSES, better="higher"),
            "variance_ratio": Quantity("variance within a class, over the real one's", least=0),
            "ms_ssim": share("similarity of images of a class"),
            "real_fid": replace(FID, says="Frechet distance of as many training images", better=None),
            "real_ms_ssim": share("similarity of training images of a class"),
        },
    ),
    "pulls": Kind(pulls, "step", {"pull": Quantity("size of each term's gradient at the fakes", ("term",), least=0)}),
}
