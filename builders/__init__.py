"""From raw bytes to typed tables, splits and a release; fetching, simulating and publishing."""
