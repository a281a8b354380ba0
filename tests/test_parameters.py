import pytest

from gancore.errors import StudyError
from gancore.host import pick_device
from gancore.parameters import known_profile, refuse_unknown, whole_numbers
from gancore.study.study import Study

PARAMETERS = {
    "profile": "smoke",
    "first_seed": 0,
    "n_seeds": None,
    "device": "cpu",
    "share": "1/1",
    "train": False,
    "results": "auto",
}
SIZES = {"smoke": {"n_seeds": 3}, "quick": {"n_seeds": 4}, "paper": {"n_seeds": 5}}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"profile": "fast"}, "unknown profile 'fast': allowed are smoke, quick, paper"),
        ({"n_seeds": 0}, "n_seeds = 0: allowed is a whole number from 1 up"),
        ({"n_seeds": "8"}, "n_seeds = '8'"),
        ({"n_seeds": True}, "n_seeds = True"),
        ({"first_seed": -1}, "first_seed = -1: allowed is a whole number from 0 up"),
        ({"device": "gpu"}, "unknown device 'gpu': allowed are auto, cpu, cuda and cuda:N"),
        ({"device": "cuda:99"}, "cuda:99"),
        ({"share": "3/2"}, "unknown share '3/2'"),
    ],
)
def test_an_impossible_parameter_is_named_with_what_is_allowed(change, sentence):
    with pytest.raises(StudyError, match=sentence):
        Study("01", PARAMETERS | change, SIZES)


def test_parameters_left_open_take_the_profiles_size():
    assert list(Study("01", PARAMETERS, SIZES).seeds) == [0, 1, 2]
    assert list(Study("01", PARAMETERS | {"profile": "paper", "first_seed": 7}, SIZES).seeds) == [7, 8, 9, 10, 11]
    assert len(Study("01", PARAMETERS | {"n_seeds": 2}, SIZES).seeds) == 2


def test_a_parameter_that_the_notebook_lacks_is_refused():
    history = ["", "profile = 'paper'\nsteps: int = 3", "# Parameters\nprofile = 'smoke'\nstep = 5\n"]
    with pytest.raises(StudyError, match="unknown parameter 'step': this notebook has profile, steps"):
        refuse_unknown(history)
    refuse_unknown([*history[:2], "# Parameters\nsteps = 5\n", "%matplotlib inline", "later = 1"])


@pytest.mark.parametrize(
    "text", ["", "0 2", "-1", "2 2", "two", "2.5", None, True, 2.0, [], [2, 2], [2, "4"], [[2]], [True, 2]]
)
def test_a_list_of_latent_dimensions_that_cannot_be_meant_is_refused(text):
    with pytest.raises(StudyError, match="latent_dimensions"):
        whole_numbers("latent_dimensions", text, least=1)


def test_lists_of_whole_numbers_are_read_in_order():
    assert whole_numbers("d", "4, 2 16", least=1) == [4, 2, 16]
    assert whole_numbers("d", 4, least=1) == [4]
    assert whole_numbers("d", [4, 2], least=1) == [4, 2]


def test_every_profile_and_the_cpu_are_known():
    assert [known_profile(name) for name in ("smoke", "quick", "paper")] == ["smoke", "quick", "paper"]
    assert pick_device("cpu").type == "cpu"


def test_a_study_error_shows_its_sentence_alone():
    assert StudyError("a sentence")._render_traceback_() == ["StudyError: a sentence"]
