"""Reports of runs: results.json, a leaderboard as Markdown and CSV, and figures."""

from alignment.report.writing import write_report

__all__ = ["write_report"]
