"""Guided and conditional games against ordinary networks, plain loops and finite differences."""

import copy

import pytest
import torch
from arms import ADAM, CPU, ordinary, player
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.testing import assert_close

from gancore.data.images import digits
from gancore.errors import StudyError
from gancore.games.guided import BALANCES, classification, equal_gradients, gradient_size, statistics
from gancore.judges.guide import Moments, guide_of
from gancore.recipes.build import population
from gancore.training.loop import train

SEEDS = [3, 8]
UNIFORM = {"name": "uniform"}
WEIGHTS = {"adversarial": 0.5, "classification": 2.0, "statistics": 3.0}
CODED = {"name": "coded", "classes": 10, "noise": 4}
SECTIONED = {"name": "sectioned", "classes": 10, "noise": 12}
CLASSIFYING = ("acgan", "fake_class")


def digits_recipe(game, latent=SECTIONED, weights=WEIGHTS, **more):
    """A small game on the digits of scikit-learn; `more` replaces or adds whole entries."""
    labelled = game in ("conditional", *CLASSIFYING)
    target = {"name": "labelled_pictures" if labelled else "pictures", "images": "digits"}
    networks = {"generator": player([9], "tanh", ADAM, UNIFORM), "discriminator": player([8, 6], "tanh", ADAM, UNIFORM)}
    base = {"game": game, "target": target, "latent": latent, "batch": 30, "players": networks, "steps": 6}
    base |= {"objective": "non_saturating", "observe": {}}
    if game in CLASSIFYING:
        base["classification"] = {"generator": 0.7, "discriminator": 1.5}
    if "guided" in game:
        base["guidance"] = {"images": "digits", "weights": weights}
    if game == "guided_alone":
        base["guidance"]["weights"] = {name: weight for name, weight in weights.items() if name != "adversarial"}
        base = {name: value for name, value in base.items() if name != "objective"}
        base["players"] = {"generator": networks["generator"]}
    return base | more


def loss_of(runs, name="generator"):
    batch = runs.game.batch(*runs.draw(0))
    return runs.game.loss(name, batch), batch


def terms_alone(batch, run, discriminator=None):
    """The terms of one run's loss, from its fakes one class at a time."""
    guide, _ = guide_of("digits")
    train_features = guide.features(digits().train)
    unit = train_features.std(0)
    fake = batch.fake[run].detach().cpu()
    labels = batch.z[run, :, :10].argmax(1).cpu()
    found = {"classification": cross_entropy(guide(fake), labels), "statistics": torch.zeros(())}
    for label in range(10):
        real = train_features[digits().train_labels == label] / unit
        own = guide.features(fake[labels == label]) / unit
        gaps = own.mean(0) - real.mean(0), own.var(0) - real.var(0)
        found["statistics"] = found["statistics"] + sum(gap.square().mean() for gap in gaps) / 10
    if discriminator:
        scores = discriminator(fake.double())
        found["adversarial"] = binary_cross_entropy_with_logits(scores, torch.ones_like(scores))
    return found


def test_a_guided_generators_loss_is_the_weighted_sum_of_its_terms_run_by_run(device):
    runs = population(digits_recipe("guided"), SEEDS, device)
    loss, batch = loss_of(runs)
    discriminator = copy.deepcopy(runs.game.players["discriminator"]).cpu()
    for run in range(len(SEEDS)):
        terms = terms_alone(batch, run, ordinary(discriminator, run, "tanh"))
        expected = sum(WEIGHTS[name] * term.item() for name, term in terms.items())
        assert loss[run].item() == pytest.approx(expected, rel=1e-4)


def test_a_generator_alone_minimises_the_terms_of_its_guide(device):
    runs = population(digits_recipe("guided_alone"), SEEDS, device)
    assert list(runs.game.players) == ["generator"]
    loss, batch = loss_of(runs)
    for run in range(len(SEEDS)):
        terms = terms_alone(batch, run)
        assert loss[run].item() == pytest.approx(sum(WEIGHTS[n] * t.item() for n, t in terms.items()), rel=1e-4)


@pytest.mark.parametrize("kept", [["classification"], ["statistics"], []])
def test_a_term_that_is_not_named_is_not_there(kept):
    weights = {"adversarial": 1.0} | {name: WEIGHTS[name] for name in kept}
    runs = population(digits_recipe("guided", weights=weights), SEEDS, CPU)
    assert list(runs.game.terms(loss_of(runs)[1])) == ["adversarial", *kept]


def test_weights_may_differ_from_run_to_run_and_be_swept():
    swept = {"weight": {"sets": ["guidance.weights.statistics"], "values": [0.0, 1.0, 4.0]}}
    together = loss_of(population(digits_recipe("guided", sweep=swept), SEEDS, CPU))[0]
    for cell, weight in enumerate(swept["weight"]["values"]):
        weights = WEIGHTS | {"statistics": weight}
        alone = loss_of(population(digits_recipe("guided", weights=weights), SEEDS, CPU))[0]
        assert_close(together[cell::3], alone)


@pytest.mark.parametrize("game", ["guided", "guided_alone", "conditional", *CLASSIFYING])
def test_a_run_depends_on_its_seed_alone(game):
    recipe = digits_recipe(game, CODED)
    together, alone = (torch.stack(train(population(recipe, seeds, CPU), 6).first_losses) for seeds in (SEEDS, [8]))
    assert_close(together[:, 1:], alone, rtol=1e-4, atol=1e-5)


def test_the_gradient_of_the_guidance_is_that_of_finite_differences():
    runs = population(digits_recipe("guided_alone", batch=20), [3], CPU)
    weight = runs.game.generator[-1].weight
    loss, _ = loss_of(runs)
    (gradient,) = torch.autograd.grad(loss.sum(), weight)
    direction = gradient / gradient.norm()
    step = 3e-3
    ends = []
    for sign in (1, -1):
        weight.data += sign * step * direction
        ends.append(loss_of(runs)[0].item())
        weight.data -= sign * step * direction
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(gradient.norm().item(), rel=2e-2)


def test_the_statistics_are_zero_for_the_real_moments_and_the_mean_square_gap_otherwise():
    torch.manual_seed(0)
    real = Moments(torch.randn(10, 4), torch.rand(10, 4))
    fake = Moments(torch.stack([real.mean, real.mean + 2]), torch.stack([real.variance, real.variance - 1]))
    assert_close(statistics(fake, real), torch.tensor([0.0, 5.0]))


def test_a_sure_and_right_classifier_costs_nothing_and_an_undecided_one_log_ten():
    labels = torch.arange(10).expand(3, 10)
    logits = torch.stack([1e4 * torch.eye(10), torch.zeros(10, 10), -1e4 * torch.eye(10)])
    assert classification(logits, labels)[:2].tolist() == pytest.approx([0, torch.tensor(10.0).log().item()])
    assert classification(logits, labels)[2] > 1e3


def test_with_equal_gradients_every_term_pulls_as_hard_as_the_first_run_by_run():
    runs = population(digits_recipe("guided"), SEEDS, CPU)
    batch = runs.game.batch(*runs.draw(0))
    terms = runs.game.terms(batch)
    pulls = {name: gradient_size(term, batch.fake) for name, term in equal_gradients(terms, batch.fake).items()}
    assert pulls["adversarial"].min() > 0
    for pull in pulls.values():
        assert_close(pull, gradient_size(terms["adversarial"], batch.fake), rtol=1e-4, atol=1e-8)
    assert BALANCES["fixed"](terms, batch.fake) is terms


def test_the_pull_of_a_term_is_the_length_of_its_gradient_over_all_of_a_runs_points():
    x = torch.randn(2, 5, 3, requires_grad=True)
    term = (x.flatten(1) * torch.tensor([[3.0], [4.0]])).sum(1)
    assert gradient_size(term, x).tolist() == pytest.approx([3 * 15**0.5, 4 * 15**0.5])


def test_a_guide_is_never_trained():
    guide, _ = guide_of("digits")
    before = [parameter.clone() for parameter in guide.parameters()]
    runs = population(digits_recipe("guided"), SEEDS, CPU)
    train(runs, 4)
    after = list(runs.game.guidance.guide.parameters())
    assert all(torch.equal(a, b) and not b.requires_grad for a, b in zip(before, after, strict=True))


def test_a_conditional_game_is_played_with_the_codes_beside_the_points_run_by_run():
    runs = population(digits_recipe("conditional", CODED), SEEDS, CPU)
    real, z, epsilon = runs.draw(0)
    batch = runs.game.batch(real, z, epsilon)
    found = {name: runs.game.loss(name, batch) for name in runs.game.players}
    for run in range(len(SEEDS)):
        judge = ordinary(runs.game.players["discriminator"].body, run, "tanh")
        generator = ordinary(runs.game.players["generator"], run, "tanh")
        fake = judge(torch.cat([generator(z[run].double()), z[run, :, :10].double()], 1))
        true = judge(real[run].double())
        ones, zeros = torch.ones_like(fake), torch.zeros_like(fake)
        told_apart = (binary_cross_entropy_with_logits(true, ones) + binary_cross_entropy_with_logits(fake, zeros)) / 2
        assert found["generator"][run].item() == pytest.approx(
            binary_cross_entropy_with_logits(fake, ones).item(), rel=1e-4
        )
        assert found["discriminator"][run].item() == pytest.approx(told_apart.item(), rel=1e-4)


def test_a_conditional_game_can_be_played_with_convolutions():
    layers = {"network": "convolutional", "channels": [4], "strides": [2], "activation": "leaky_relu"}
    common = {**layers, "initialiser": UNIFORM, "optimiser": ADAM}
    recipe = digits_recipe("conditional", CODED, players={"generator": common, "discriminator": common | {"hidden": 5}})
    runs = population(recipe, SEEDS, CPU)
    before = [tensor.clone() for tensor in runs.state()]
    assert torch.stack(train(runs, 3).first_losses).isfinite().all()
    assert not any(torch.equal(a, b) for a, b in zip(before, runs.state(), strict=True))


@pytest.mark.parametrize(("name", "part"), [("r1", 0), ("r2", 1)])
def test_a_conditional_discriminator_is_held_down_at_points_with_their_own_codes(name, part):
    recipe = digits_recipe("conditional", CODED, penalties=[{"name": name, "weight": 3.0}])
    runs, without = population(recipe, SEEDS, CPU), population(digits_recipe("conditional", CODED), SEEDS, CPU)
    drawn = runs.draw(0)
    batch, bare = (of.game.batch(*drawn) for of in (runs, without))
    found = runs.game.loss("discriminator", batch) - without.game.loss("discriminator", bare)
    x, code = [(batch.real, batch.real_code), (batch.fake, batch.fake_code)][part]
    for run in range(len(SEEDS)):
        judge = ordinary(runs.game.players["discriminator"].body, run, "tanh")
        squares = []
        for point, its_code in zip(x[run].detach().double(), code[run].double(), strict=True):
            point.requires_grad_()
            (slope,) = torch.autograd.grad(judge(torch.cat([point, its_code])).sum(), point)
            squares.append(slope.square().sum())
        assert found[run].item() == pytest.approx(3 * torch.stack(squares).mean().item() / 2, rel=1e-3)


def test_a_conditional_game_has_no_penalty_between_points_of_two_classes():
    with pytest.raises(StudyError, match="penalty 'wgan_gp'"):
        population(digits_recipe("conditional", CODED, penalties=[{"name": "wgan_gp", "weight": 1.0}]), SEEDS, CPU)


def test_a_conditional_game_refuses_what_would_show_fakes_with_other_codes():
    with pytest.raises(StudyError, match="the remedy 'replay' in the game 'conditional': it keeps fakes without the"):
        population(digits_recipe("conditional", CODED, remedies=[{"name": "replay"}]), SEEDS, CPU)


def test_labelled_pictures_come_with_the_labels_they_have():
    runs = population(digits_recipe("conditional", CODED), SEEDS, CPU)
    x, code = runs.draw(0)[0].tensor_split([64], dim=2)
    there = {
        tuple(image.tolist()): int(label) for image, label in zip(digits().train, digits().train_labels, strict=True)
    }
    assert [there[tuple(image.tolist())] for image in x.flatten(0, 1)] == code.flatten(0, 1).argmax(1).tolist()
    assert (code.sum(2) == 1).all()


REFUSED = {
    "'guidance' is missing from the recipe": lambda: _without(digits_recipe("guided"), "guidance"),
    "'guidance' is unknown in the recipe": lambda: digits_recipe("gan", 3, guidance={}),
    "'adversarial' is missing from the guidance's weights": lambda: digits_recipe(
        "guided", weights={"statistics": 1.0}
    ),
    "'variety' is unknown in the guidance's weights": lambda: digits_recipe(
        "guided", weights=WEIGHTS | {"variety": 1.0}
    ),
    "'weights' is missing from the guidance": lambda: digits_recipe("guided", guidance={"images": "digits"}),
    "a guided generator alone needs a term": lambda: digits_recipe("guided_alone", weights={}),
    "unknown balance 'none'": lambda: digits_recipe(
        "guided", guidance={"images": "digits", "weights": WEIGHTS, "balance": "none"}
    ),
    "this needs latents that ask for a class": lambda: digits_recipe("guided", 12),
    "9 latent dimensions for 10 sections": lambda: digits_recipe("guided", SECTIONED | {"noise": 9}),
    "batch size 19 for 10 classes: allowed is two a class or more": lambda: digits_recipe("guided", batch=19),
    "the guide knows images of mnist": lambda: digits_recipe(
        "guided", guidance={"images": "mnist", "weights": WEIGHTS}
    ),
}


def _without(recipe, key):
    return {name: value for name, value in recipe.items() if name != key}


@pytest.mark.parametrize("sentence", REFUSED)
def test_an_impossible_guidance_is_refused_in_a_sentence_before_anything_is_trained(sentence):
    with pytest.raises(StudyError) as refused:
        population(REFUSED[sentence](), SEEDS, CPU)
    assert str(refused.value).startswith(sentence)
