"""How well open answers fit the person: what judges are told, what they say, and what that comes to."""
