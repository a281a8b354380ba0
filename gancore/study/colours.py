"""One colour a role, for the whole study; all from seaborn's colour-blind palette.

Real points are blue and fakes orange. Purple is the plain recipe, which collapses; green is what keeps modes, a penalty
or a guide; other remedies and comparisons have a colour of their own in every notebook.
"""

REAL, FAKE, PURPLE, GREEN = "#0173b2", "#de8f05", "#cc78bc", "#029e73"
RED, SKY, BROWN, GREY = "#d55e00", "#56b4e9", "#ca9161", "#949494"

_ARMS = {
    PURPLE: ("plain", "plain-fall", "chase", "published", "collapsed", "bigan", "z2"),
    GREEN: ("r1", "r1-fall", "chase-r1", "published-r1", "healthy", "brief", "guided", "bigan-pgp", "z4"),
    SKY: ("replay", "replay-fall", "chase-replay", "conditional", "wgan-gp", "unpenalised"),
    BROWN: ("unrolled", "chase-unrolled", "gan", "starved"),
    RED: ("overfitted", "bigan-rec", "reweighted", "gan-r1"),
    GREY: ("wgan", "equal-rates", "repaired", "minimax"),
}
COLOURS = {arm: colour for colour, arms in _ARMS.items() for arm in arms}  # of the arms that notebooks compare
