"""The discriminator's surface against plain loops, finite differences and curves of known shape."""

import itertools
import math

import numpy as np
import pytest
import torch
from arms import Flattened, drawn, ordinary
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from gancore import landscape
from gancore.nets.architectures import mlp
from gancore.nets.layers import ACTIVATIONS, initialise, normal_throughout

any_device = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)


def network(widths, activation="tanh", runs=2):
    stacked = mlp(runs, [*widths, 1], activation)
    initialise(stacked, range(runs), "discriminator", normal_throughout(0.8, 0.5))
    return stacked.double()


def scan_by_loops(stacked, activation, x, directions, offsets):
    """D at every place of every line, one place at a time, by one ordinary network per run."""
    found = torch.empty(len(x), x.shape[1], len(directions), len(offsets), dtype=torch.float64)
    for run, start, way, place in itertools.product(*map(range, found.shape)):
        way_of_one = directions[way] / math.sqrt(sum(part**2 for part in directions[way].flatten().tolist()))
        point = x[run, start] + offsets[place] * way_of_one
        found[run, start, way, place] = ordinary(stacked, run, activation)(point.flatten()).item()
    return found


SIZES = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 3), st.integers(1, 5))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@any_device
@given(sizes=SIZES, inputs=st.integers(1, 4), hidden=st.lists(st.integers(1, 5), max_size=2), chunk=st.integers(1, 300))
def test_a_scan_of_an_mlp_equals_a_plain_loop_whatever_the_chunk(activation, sizes, inputs, hidden, chunk, device):
    runs, points, ways, places = sizes
    stacked = network([inputs, *hidden], activation, runs)
    x, directions, offsets = drawn(runs, points, inputs), drawn(ways, inputs, seed=1), drawn(places, seed=2)
    expected = scan_by_loops(stacked, activation, x, directions, offsets)
    x, directions, offsets = (t.to(device) for t in (x, directions, offsets))
    found = landscape.line_scan(stacked.to(device), x, directions, offsets, chunk)
    assert_close(found.cpu(), expected, rtol=1e-10, atol=1e-10)


@any_device
@given(sizes=SIZES, shape=st.lists(st.integers(1, 3), min_size=1, max_size=3), chunk=st.integers(1, 300))
def test_a_scan_of_any_other_discriminator_equals_a_plain_loop_whatever_the_chunk(sizes, shape, chunk, device):
    runs, points, ways, places = sizes
    x, directions, offsets = drawn(runs, points, *shape), drawn(ways, *shape, seed=1), drawn(places, seed=2)
    stacked = network([math.prod(shape), 4], runs=runs)
    expected = scan_by_loops(stacked, "tanh", x, directions, offsets)
    x, directions, offsets = (t.to(device) for t in (x, directions, offsets))
    found = landscape.line_scan(Flattened(stacked).to(device), x, directions, offsets, chunk)
    assert_close(found.cpu(), expected, rtol=1e-10, atol=1e-10)


@given(length=st.floats(0.01, 100))
def test_a_direction_counts_by_where_it_points_and_not_by_its_length(length):
    stacked, x, ways, offsets = network([3, 4]), drawn(2, 2, 3), drawn(2, 3, seed=1), drawn(5, seed=2)
    for discriminator in (stacked, Flattened(stacked)):
        scan, stretched = (landscape.line_scan(discriminator, x, w, offsets) for w in (ways, length * ways))
        assert_close(scan, stretched, rtol=1e-10, atol=1e-10)


class Sizes(TorchDispatchMode):
    """How many numbers each tensor holds that torch makes."""

    def __init__(self):
        super().__init__()
        self.made = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        found = operation(*args, **(kwargs or {}))
        if isinstance(found, torch.Tensor) and found.is_floating_point():
            self.made.append(found.numel())
        return found


def images(runs, points, pixels, hidden):
    return network([pixels, hidden], runs=runs), drawn(runs, points, pixels), drawn(7, pixels, seed=1)


@given(chunk=st.sampled_from([2_000, 5_000, 20_000]), places=st.integers(20, 40), hidden=st.integers(8, 16))
def test_no_temporary_of_an_mlps_scan_is_larger_than_the_chunk_or_one_line(chunk, places, hidden):
    stacked, x, ways = images(2, 40, 8, hidden)
    with Sizes() as sizes:
        scan = landscape.line_scan(stacked, x, ways, torch.linspace(-1, 1, places).double(), chunk)
    temporaries = [size for size in sizes.made if size != scan.numel()]
    one_line = 2 * places * hidden
    assert chunk - one_line < max(temporaries) <= chunk


@given(chunk=st.sampled_from([2_000, 5_000, 20_000]), places=st.integers(20, 40))
def test_no_temporary_of_any_other_scan_is_larger_than_the_chunk_or_one_line(chunk, places):
    stacked, x, ways = images(2, 40, 12, 6)
    with Sizes() as sizes:
        scan = landscape.line_scan(Flattened(stacked), x, ways, torch.linspace(-1, 1, places).double(), chunk)
    temporaries = [size for size in sizes.made if size != scan.numel()]
    one_line = 2 * places * 12
    assert chunk - one_line < max(temporaries) <= chunk


def central_difference(function, x, place, step=1e-6):
    moved = [x.clone() for _ in range(2)]
    moved[0][place] += step
    moved[1][place] -= step
    return (function(moved[0]) - function(moved[1])) / (2 * step)


@pytest.mark.parametrize("activation", ["tanh", "leaky_relu"])
def test_slopes_and_pull_equal_finite_differences_at_each_point_alone(activation, device):
    stacked, x = network([2, 6, 3], activation), drawn(2, 4, 2)
    alone = [ordinary(stacked, run, activation) for run in range(2)]
    slopes, pull = (f(stacked.to(device), x.to(device)).cpu() for f in (landscape.slopes, landscape.pull))
    for run, point, axis in itertools.product(range(2), range(4), range(2)):
        here = x[run, point]
        slope = central_difference(lambda at, r=run: alone[r](at).item(), here, axis)
        drawn_to = central_difference(lambda at, r=run: -math.log1p(math.exp(-alone[r](at).item())), here, axis)
        assert slopes[run, point, axis].item() == pytest.approx(slope, rel=1e-6, abs=1e-8)
        assert pull[run, point, axis].item() == pytest.approx(drawn_to, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("look", [landscape.slopes, landscape.pull, landscape.scores_at])
def test_images_are_looked_at_in_their_own_shape(look):
    body, x = network([12, 5]), drawn(2, 3, 1, 3, 4)
    flat = look(body, x.flatten(2))
    assert_close(look(Flattened(body), x), flat.reshape(x.shape) if flat.dim() == 3 else flat)


WINDOW = torch.linspace(-1, 1, 41, dtype=torch.float64)
STEP = 0.05


@given(middle=st.floats(-0.1, 0.1), height=st.floats(-10, 10), width=st.floats(0.05, 10))
def test_a_parabola_with_its_top_near_zero_has_a_peak(middle, height, width):
    assert landscape.peaks(height - ((WINDOW - middle) / width) ** 2, WINDOW).item()


@given(middle=st.one_of(st.floats(-2, -0.13), st.floats(0.13, 2)))
def test_a_parabola_with_its_top_elsewhere_or_upside_down_has_none(middle):
    scans = torch.stack([-((WINDOW - middle) ** 2), (WINDOW - middle) ** 2, WINDOW**2])
    assert landscape.peaks(scans, WINDOW).tolist() == [False] * 3
    assert landscape.basin_widths(scans, WINDOW).tolist() == [0.0] * 3


@given(rises=st.lists(st.floats(0, 1), min_size=41, max_size=41))
def test_a_monotone_scan_never_has_a_peak_nor_a_flat_one(rises):
    up = torch.tensor(rises, dtype=torch.float64).cumsum(0)
    scans = torch.stack([up, -up, up.flip(0), torch.zeros(41)])
    assert not landscape.peaks(scans, WINDOW).any() and not landscape.basin_widths(scans, WINDOW).any()


@given(other=st.floats(0, 2).filter(lambda height: abs(height - 1) > 0.01), place=st.sampled_from([-0.6, 0.5]))
def test_of_several_tops_the_highest_must_be_the_one_at_zero(other, place):
    scan = torch.exp(-((WINDOW / 0.1) ** 2)) + other * torch.exp(-(((WINDOW - place) / 0.1) ** 2))
    assert landscape.peaks(scan, WINDOW).item() == (other < 1)


@given(tolerance=st.floats(0.01, 0.9))
def test_the_tolerance_is_a_share_of_the_window(tolerance):
    tops = torch.arange(-20, 21)
    scans = -((WINDOW - WINDOW[tops + 20][:, None]) ** 2)
    expected = [abs(top) <= 20 * tolerance + 1e-4 for top in tops.tolist()]
    for size in (0.01, 1.0, 30.0):
        assert landscape.peaks(scans, size * WINDOW, tolerance).tolist() == expected


def test_scans_are_judged_one_by_one_whatever_their_leading_axes():
    scans = drawn(2, 3, 4, 41, seed=1) + 4 * torch.exp(-((WINDOW / 0.2) ** 2))
    peaks, widths = landscape.peaks(scans, WINDOW), landscape.basin_widths(scans, WINDOW)
    assert peaks.shape == widths.shape == (2, 3, 4) and 0 < peaks.sum() < 24
    for place in itertools.product(range(2), range(3), range(4)):
        assert peaks[place] == landscape.peaks(scans[place], WINDOW)
        assert widths[place] == landscape.basin_widths(scans[place], WINDOW)


@given(middle=st.floats(-0.1, 0.1), half=st.floats(0.1, 0.8), height=st.floats(0.1, 10), floor=st.floats(-10, 10))
def test_a_triangles_basin_is_half_as_wide_as_its_base_to_within_a_step(middle, half, height, floor):
    scan = floor + height * (1 - (WINDOW - middle).abs() / half).clamp(min=0)
    top = scan.max().item() - floor
    crossings = 2 * half * (1 - top / 2 / height)
    assert landscape.basin_widths(scan, WINDOW).item() == pytest.approx(crossings, abs=STEP + 1e-9)


@given(deviation=st.floats(0.05, 0.3), middle=st.floats(-0.1, 0.1))
def test_a_gaussians_basin_is_its_full_width_at_half_maximum_to_within_a_step(deviation, middle):
    fine = torch.linspace(-1.5, 1.5, 1201, dtype=torch.float64)
    scan = torch.exp(-(((fine - middle) / deviation) ** 2) / 2)
    width = 2 * math.sqrt(2 * math.log(2)) * deviation
    assert landscape.basin_widths(scan, fine).item() == pytest.approx(width, abs=2 * 0.0025)


@given(left=st.floats(0.1, 10), right=st.floats(0.1, 10), reach=st.floats(0.5, 50))
def test_a_prominence_is_measured_from_the_higher_of_the_two_valleys(left, right, reach):
    offsets = reach * WINDOW
    scan = -torch.where(offsets < 0, left, right) * offsets.abs()
    drop = min(left, right) * reach / 2
    expected = drop / left + drop / right
    assert landscape.basin_widths(scan, offsets).item() == pytest.approx(expected, abs=STEP * reach * 1.001)


def test_a_lower_hill_beside_a_peak_does_not_widen_its_basin():
    scan = torch.zeros(41, dtype=torch.float64)
    scan[20], scan[15:20], scan[21:26], scan[30:35] = 4.0, 3.0, 3.0, 3.5
    assert landscape.basin_widths(scan, WINDOW).item() == pytest.approx(11 * STEP, abs=1e-9)


@given(
    heights=st.lists(st.integers(-50, 50), min_size=41, max_size=41),
    shift=st.integers(-100, 100),
    scale=st.sampled_from([0.25, 1.0, 3.0, 64.0]),
)
def test_peaks_and_widths_stay_when_a_scan_is_raised_or_scaled(heights, shift, scale):
    scan = torch.tensor(heights, dtype=torch.float64)
    scan[20] = 60
    for judge in (landscape.peaks, landscape.basin_widths):
        assert judge(scan, WINDOW) == judge(scale * scan + shift, WINDOW) != 0


class Surface(nn.Module):
    """One function of the plane for each run: (R, n, 2) -> (R, n, 1)."""

    def __init__(self, *functions):
        super().__init__()
        self.functions, self.runs = functions, nn.Parameter(torch.zeros(len(functions)))

    def forward(self, x):
        return torch.stack([f(x[run]) for run, f in enumerate(self.functions)])[..., None]


def hill(at, x):
    return -(x - torch.tensor(at).to(x)).square().sum(-1)


CENTRES = torch.tensor([[0.0, 0.0], [1.0, 0.0], [-0.6, 0.8]])


def test_hills_have_peaks_where_their_tops_are_and_planes_and_saddles_none(device):
    surfaces = Surface(
        lambda x: hill((0.0, 0.0), x),
        lambda x: torch.maximum(hill((1.03, 0.02), x), hill((-0.6, 0.85), x)),
        lambda x: -hill((0.0, 0.0), x),
        lambda x: x @ torch.tensor([0.3, -2.0]).to(x),
        lambda x: x[:, 0] ** 2 - x[:, 1] ** 2,
        lambda x: torch.zeros_like(x[:, 0]),
        lambda x: -(x - torch.tensor([1.0, 0.0]).to(x)).abs().sum(-1),
    )
    centres = CENTRES.to(device).expand(len(surfaces.functions), -1, -1)
    found = landscape.has_peak(surfaces.to(device), centres, 0.1).cpu()
    tops = {(0, 0), (1, 1), (1, 2), (6, 1)}
    assert {tuple(place) for place in found.nonzero().tolist()} == tops and found.shape == (7, 3)


@given(share=st.floats(0, 0.75) | st.floats(1.05, 3), angle=st.floats(0, 6.3), radius=st.floats(0.05, 0.2))
def test_a_top_counts_inside_the_radius_and_not_outside(share, angle, radius):
    top = (share * radius * math.cos(angle), share * radius * math.sin(angle))
    found = landscape.has_peak(Surface(lambda x: hill(top, x)), torch.zeros(1, 1, 2, dtype=torch.float64), radius)
    assert found.item() == (share < 1)


@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4), dimensions=st.integers(1, 4))
def test_directions_agree_wholly_where_each_group_points_one_way(sizes, dimensions):
    ways = nn.functional.normalize(drawn(len(sizes), dimensions), dim=1)
    groups = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    vectors = ways[groups] * drawn(len(groups), 1, seed=1).abs().add(0.01)
    shuffled = torch.randperm(len(groups), generator=torch.Generator().manual_seed(2))
    found = landscape.agreement(vectors[shuffled][None], groups[shuffled][None], 5)
    assert found.item() == pytest.approx(1)


@given(pairs=st.integers(1, 5))
def test_opposite_pairs_do_not_agree(pairs):
    half = drawn(1, pairs, 3)
    assert landscape.agreement(torch.cat([half, -half], 1), torch.zeros(1, 2 * pairs).long(), 3).item() < 1e-12


def test_agreement_is_weighted_by_the_size_of_a_group_run_by_run():
    right, up = [1.0, 0.0], [0.0, 1.0]
    vectors = torch.tensor([[right, right, right, up], [right, up, right, up], [right, [-2.0, 0.0], up, up]])
    groups = torch.tensor([[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]])
    expected = [math.hypot(3, 1) / 4, math.hypot(1, 1) / 2, (2 * 0 + 2 * 1) / 4]
    assert landscape.agreement(vectors, groups, 2).tolist() == pytest.approx(expected)


@given(angles=st.lists(st.floats(0, 180).filter(lambda angle: abs(angle - 90) > 0.1), min_size=1, max_size=8))
def test_the_share_turned_counts_angles_beyond_a_right_one(angles):
    before = drawn(1, len(angles), 2)
    turn = torch.tensor(angles, dtype=torch.float64).deg2rad()
    cos, sin = turn.cos(), turn.sin()
    after = torch.stack([cos * before[..., 0] - sin * before[..., 1], sin * before[..., 0] + cos * before[..., 1]], -1)
    found = landscape.turned(3 * after, before).item()
    assert found == pytest.approx(sum(angle > 90 for angle in angles) / len(angles))


def test_places_turn_run_by_run():
    before = torch.ones(2, 4, 3)
    after = torch.ones(2, 4, 3)
    after[1, :3] = -1
    assert landscape.turned(after, before).tolist() == [0.0, 0.75]


@given(batches=st.integers(1, 4), points=st.integers(1, 7), real=st.integers(1, 9), flat=st.booleans())
def test_how_well_fakes_are_told_apart_equals_a_plain_count_of_pairs(batches, points, real, flat):
    stacked = network([2, 5])
    if flat:
        with torch.no_grad():
            stacked[-1].weight.zero_()  # every pair is a tie
    fakes, x = [3 * drawn(2, points, 2, seed=seed) for seed in range(batches)], drawn(2, real, 2, seed=9)
    found = landscape.told_apart(stacked, x, fakes)
    for run, batch in itertools.product(range(2), range(batches)):
        of_real, of_fake = (
            [ordinary(stacked, run, "tanh")(point).item() for point in group[run]] for group in (x, fakes[batch])
        )
        wins = [(r > f) + 0.5 * (r == f) for r in of_real for f in of_fake]
        assert found[run, batch].item() == pytest.approx(np.mean(wins), abs=1e-6)
    assert not flat or (found == 0.5).all()


def test_points_that_ascend_take_strides_of_one_length_up_the_slope_and_stay_on_a_flat():
    centres = torch.tensor([[[0.0, 0.0]], [[2.0, -1.0]]])

    def hill(x):
        """One hill a run, at its centre; flat farther than 4 away."""
        return -(x - centres).norm(dim=2, keepdim=True).clamp(max=4)

    x = centres + torch.tensor([[[1.0, 0.0], [0.0, -2.0], [-0.6, 0.8], [5.0, 0.0]]])
    ends = landscape.ascended(hill, x, 0.1, 8)
    way = x - centres
    length = way.norm(dim=2, keepdim=True)
    shorter = torch.where(length < 4, length - 0.8, length)
    assert_close(ends, centres + way / length * shorter)
    arrived = landscape.ascended(hill, x, 0.1, 40)
    assert ((arrived - centres).norm(dim=2)[:, :3] <= 0.1 + 1e-6).all() and (arrived[:, 3] == x[:, 3]).all()


def test_an_ascent_ends_where_a_plain_loop_with_an_ordinary_network_does():
    stacked, x = network([2, 5]), drawn(2, 4, 2)
    ends = landscape.ascended(stacked, x, 0.05, 7)
    for run, place in itertools.product(range(2), range(4)):
        point = x[run, place].clone()
        for _ in range(7):
            there = point.requires_grad_()
            (slope,) = torch.autograd.grad(ordinary(stacked, run, "tanh")(there).sum(), there)
            point = (there + 0.05 * slope / slope.norm()).detach()
        assert_close(ends[run, place], point, rtol=1e-4, atol=1e-5)
