"""The figures of a report, a module each: methods as rows in the order of the leaderboard, drawn as PNG."""
