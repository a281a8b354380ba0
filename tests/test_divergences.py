"""The f-divergences: conjugates by numerical maximisation, bounds by quadrature against closed forms for Gaussians."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from losses import TABLES
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from gancore.divergences import DIVERGENCES
from gancore.objectives import objective_of

P, Q = (0.4, 0.9), (0.0, 1.1)  # mean and deviation of two Gaussians


def of(function, value):
    return float(function(torch.tensor(value, dtype=torch.float64)))


def inverse(rising, value):
    """The v at which a function that rises comes nearest to a value."""
    low, high = -40.0, 40.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if of(rising, middle) < value else (low, middle)
    return middle


def test_every_divergence_is_checked():
    assert DIVERGENCES.keys() == TABLES.keys() == CLOSED.keys()


@pytest.mark.parametrize("name", DIVERGENCES)
@given(v=st.floats(-2, 6))  # below -2 Pearson's f* is that of (u - 1)^2 for negative u too, in the paper as here
def test_the_conjugate_is_the_largest_gap_between_a_line_and_f(name, v):
    f, t = TABLES[name][0], of(DIVERGENCES[name].activation, v)
    found = minimize_scalar(
        lambda log_u: of(f, np.exp(log_u)) - t * np.exp(log_u),
        bounds=(-30, 30),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert of(DIVERGENCES[name].conjugate, v) == pytest.approx(-found.fun, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", DIVERGENCES)
@given(v=st.floats(-20, 20), more=st.floats(1e-3, 5))
def test_the_activation_rises_and_stays_where_the_conjugate_is_finite(name, v, more):
    low, high = (of(DIVERGENCES[name].activation, x) for x in (v, v + more))
    ends = {"reverse_kl": 0, "neyman": 1, "squared_hellinger": 1, "jensen_shannon": np.log(2), "gan": 0}
    assert low <= high and (low < high or abs(v) > 10)
    assert high <= ends.get(name, 0.5 if name == "total_variation" else np.inf)
    assert low >= (-0.5 if name == "total_variation" else -np.inf)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_losses_of_extreme_scores_are_finite_in_single_precision_where_their_value_is(name):
    v = torch.tensor([-80.0, -30.0, 30.0, 80.0], requires_grad=True)
    for function in (DIVERGENCES[name].activation, DIVERGENCES[name].conjugate):
        value = function(v)
        assert value.isfinite().all() and torch.autograd.grad(value.sum(), v)[0].isfinite().all()


def ratio(x):
    return norm.pdf(x, *P) / norm.pdf(x, *Q)


def kl(first, second):
    (m, s), (n, r) = first, second
    return np.log(r / s) + (s**2 + (m - n) ** 2) / (2 * r**2) - 0.5


def chi_squared(first, second):
    """Integral of p^2 / q, less 1, for the Gaussians p and q."""
    (m, s), (n, r) = first, second
    return r**2 / (s * np.sqrt(2 * r**2 - s**2)) * np.exp((m - n) ** 2 / (2 * r**2 - s**2)) - 1


def hellinger(first, second):
    (m, s), (n, r) = first, second
    return 2 - 2 * np.sqrt(2 * s * r / (s**2 + r**2)) * np.exp(-((m - n) ** 2) / (4 * (s**2 + r**2)))


def jensen_shannon(first, second):
    """KL(P || M) + KL(Q || M), M being halfway; it has no closed form."""

    def part(x, own, other):
        p, q = norm.pdf(x, *own), norm.pdf(x, *other)
        return p * np.log(2 * p / (p + q))

    return sum(quad(part, -9, 9, args=pair)[0] for pair in ((first, second), (second, first)))


def total_variation(first, second):
    """Half the integral of |p - q|, by the distribution functions between the two points where p = q."""
    (m, s), (n, r) = first, second
    a, b, c = 1 / r**2 - 1 / s**2, 2 * (m / s**2 - n / r**2), n**2 / r**2 - m**2 / s**2 + 2 * np.log(r / s)
    low, high = sorted(np.roots([a, b, c]))
    return abs(np.diff(norm.cdf([low, high], *first)) - np.diff(norm.cdf([low, high], *second)))[0]


CLOSED = {
    "kl": kl(P, Q),
    "reverse_kl": kl(Q, P),
    "pearson": chi_squared(P, Q),
    "neyman": chi_squared(Q, P),
    "squared_hellinger": hellinger(P, Q),
    "jensen_shannon": jensen_shannon(P, Q),
    "gan": jensen_shannon(P, Q) - np.log(4),
    "total_variation": total_variation(P, Q),
}


def bound(name, critic):
    """E_P g(v) - E_Q f*(g(v)) by quadrature, minus what a discriminator would minimise at these scores."""
    x = np.linspace(-9, 9, 20001)
    v = torch.tensor([critic(point) for point in x])
    weights = [torch.tensor(norm.pdf(x, *which) * (x[1] - x[0])) for which in (P, Q)]
    f = DIVERGENCES[name]
    return (weights[0] * f.activation(v) - weights[1] * f.conjugate(v)).sum().item()


def optimal(name):
    """The critic with g(v(x)) = f'(p(x) / q(x)), by the derivative of f and the inverse of g."""
    f, _, _ = TABLES[name]

    def score(x):
        u = torch.tensor(ratio(x), requires_grad=True)
        (slope,) = torch.autograd.grad(f(u), u)
        return inverse(DIVERGENCES[name].activation, slope.item())

    return score


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_bound_at_the_optimal_critic_is_the_divergence_of_two_gaussians(name):
    at = np.linspace(-9, 9, 401)
    best = np.array([optimal(name)(x) for x in at])
    found = bound(name, lambda x: np.interp(x, at, best))
    assert found == pytest.approx(CLOSED[name], rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("name", DIVERGENCES)
@given(slope=st.floats(-1, 1), height=st.floats(-1, 1))
def test_no_other_critic_exceeds_the_divergence(name, slope, height):
    assert bound(name, lambda x: slope * x + height) <= CLOSED[name] + 1e-6


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_discriminator_minimises_minus_the_bound(name):
    x = torch.linspace(-1, 1, 7, dtype=torch.float64).reshape(1, 7, 1)
    f, objective = DIVERGENCES[name], objective_of({"name": "f_gan", "divergence": name})
    expected = f.conjugate(x / 3).mean() - f.activation(x + 1).mean()
    assert objective.discriminator(x + 1, x / 3).item() == pytest.approx(expected.item())
