"""What stands on a figure, and whether it can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib.font_manager import findfont
from matplotlib.text import Text

from papi.sheet import SMALL, WIDTH, Sheet, colour


def drawn_words(sheet: Sheet) -> list[Text]:
    """The texts that are drawn, which are not all there are: matplotlib keeps labels beyond the ends of an axis."""
    found: list[Text] = []
    draw = Text.draw

    def noted(self: Text, *arguments: Any, **options: Any) -> Any:
        if self.get_visible() and self.get_text().strip():
            found.append(self)
        return draw(self, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", noted)
        sheet.png()
    return found


def assert_well_set(sheet: Sheet) -> None:
    """Every word within the sheet, none on another, large enough, in a colour for texts and the type that we bring."""
    words = drawn_words(sheet)
    boxes = [(word.get_text(), word.get_window_extent(sheet.canvas.get_renderer())) for word in words]
    assert len(words) > 5
    for text, box in boxes:
        assert min(box.x0, box.y0, WIDTH - box.x1, sheet.height - box.y1) >= 4, text
    for i, (text, box) in enumerate(boxes):
        for other, beside in boxes[:i]:
            apart = max(box.x0 - beside.x1, beside.x0 - box.x1, box.y0 - beside.y1, beside.y0 - box.y1)
            assert apart >= -1, (text, other)
    assert min(word.get_fontsize() for word in words) >= SMALL >= 9
    assert {word.get_color() for word in words} <= {colour("ink"), colour("muted")}
    fonts = {findfont(word.get_fontproperties()) for word in words}
    assert all(Path(font).is_relative_to(matplotlib.get_data_path()) for font in fonts)
