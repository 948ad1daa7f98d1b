"""The sheet of paper that every figure is drawn on: its size, colours, type and PNG bytes.

Places on it are pixels from the upper left corner. Nothing of the user's matplotlib settings passes into a picture, and
nothing that differs between two runs.
"""

from __future__ import annotations

import locale
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from papi.errors import EnvironmentProblem
from papi.tables import read_toml

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

WIDTH, DPI = 960, 120  # pixels, and pixels to the inch: 9 points are 15 pixels
MARGIN = 24
TOP = 76  # below the two lines of the heading
SMALL, LARGE = 9, 13  # points
COLOUR_STEP = 3  # of 255
SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": SMALL,
    "text.parse_math": False,  # a $ in the name of a country is a $
    "axes.titlesize": SMALL,
    "axes.titlelocation": "left",
    "axes.titlepad": 5,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.borderpad": 0,
    "legend.borderaxespad": 0,
    "legend.columnspacing": 1.8,
}
COLOURED = {
    "figure.facecolor": "background",
    "axes.facecolor": "background",
    "text.color": "ink",
    "axes.titlecolor": "ink",
    "axes.labelcolor": "muted",
    "axes.edgecolor": "muted",
    "xtick.color": "muted",
    "ytick.color": "muted",
    "grid.color": "grid",
}


def colour(name: str) -> str:
    """A colour of the table by what it is for."""
    table = read_toml("papi", "colours.toml")
    return str({"background": table["background"], **table["text"], **table["marks"], **table["areas"]}[name])


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save in here: matplotlib's own defaults and ours, whatever the user has set.

    Raises `EnvironmentProblem` where matplotlib refuses the user's settings when it is imported.
    """
    try:
        import matplotlib
    except (ValueError, locale.Error) as error:
        advice = "mend the variables MPLBACKEND and LC_ALL, or leave the figures out with --no-figures"
        raise EnvironmentProblem("matplotlib cannot be used", got=str(error), next_step=advice) from error
    settings: dict[Any, Any] = {**matplotlib.rcParamsDefault, **SETTINGS}
    settings |= {name: colour(value) for name, value in COLOURED.items()}
    del settings["backend"]
    with matplotlib.rc_context(settings):
        yield


@dataclass(frozen=True)
class Heading:
    """The two lines above a figure: its title, and how to read it."""

    title: str
    reading: str


class Sheet:
    """A figure in the making: WIDTH × `height` pixels with its heading."""

    def __init__(self, height: int, heading: Heading) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.height = height
        self.figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI)
        self.canvas: Any = FigureCanvasAgg(self.figure)  # its methods have no types
        self.text(MARGIN, 30, heading.title, size=LARGE, weight="bold")
        self.text(MARGIN, 54, heading.reading, color=colour("muted"))

    def text(self, x: float, y: float, words: str, **how: Any) -> None:
        """Words whose baseline begins at a place."""
        self.figure.text(x / WIDTH, 1 - y / self.height, words, **how)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes whose frame has that place and size; labels stand around it."""
        place = (left / WIDTH, 1 - (top + height) / self.height, width / WIDTH, height / self.height)
        return self.figure.add_axes(place)

    def legend(self, x: float, y: float, handles: Sequence[Artist], length: float = 1.2) -> None:
        """A line of marks, so many letters long, with their meanings; its upper left corner is at a place."""
        place = (x / WIDTH, 1 - y / self.height)
        how: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": place, "ncols": len(handles)}
        self.figure.legend(handles=handles, handlelength=length, **how)

    def png(self) -> bytes:
        """The picture, without a word on when and with what it was made.

        It has no transparency, and colours in steps that nobody sees, which makes it a good deal smaller.
        """
        from PIL import Image

        self.canvas.draw()
        pixels = np.asarray(self.canvas.buffer_rgba())[:, :, :3].astype(np.uint16)
        buffer = BytesIO()
        stepped = (pixels + COLOUR_STEP // 2) // COLOUR_STEP * COLOUR_STEP
        Image.fromarray(stepped.astype(np.uint8)).save(buffer, "png", optimize=True)
        return buffer.getvalue()


@dataclass(frozen=True)
class Picture:
    """A figure and what is to be seen on it, in words that follow its title."""

    sheet: Sheet
    alt: str
