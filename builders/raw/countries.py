"""Country names as respondents reported them, made the same whatever file they come from.

Johnson's records cut names (11 characters in the 300-item form, 9 in the 120-item form) and the CSVs do not. Every
name is therefore looked up by its first 9 characters in a reviewed table of complete names, so that all four kinds of
file agree. Where two countries share 9 characters the table has the one with more respondents by far and says so.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

from papi.tables import read_csv

KEY_LENGTH = 9


def complete_name(reported: str) -> str:
    """The full name for a reported, perhaps truncated one; a name not in the table keeps its first 9 characters."""
    key = reported[:KEY_LENGTH].rstrip()
    return _names_by_key().get(key, key)


@cache
def _names_by_key() -> MappingProxyType[str, str]:
    names = [row["name"] for row in read_csv("builders", "countries.csv")]
    return MappingProxyType({name[:KEY_LENGTH].rstrip(): name for name in names})
