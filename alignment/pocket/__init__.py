"""The pocket respondent: a tiny language model of simulated people, trained offline, committed beside this file.

It lets the whole of alignment run and be tested without a download. README.md here is its card; modules of this
package import torch and transformers at their top, so they are imported late.
"""

from __future__ import annotations

from pathlib import Path

CHECKPOINT = Path(__file__).parent / "checkpoint"
