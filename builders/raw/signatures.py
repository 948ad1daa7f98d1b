"""What the first bytes of a file betray, so that a wrong file is refused by what it is and not by what it lacks."""

from __future__ import annotations

from papi.errors import InputRejected

GZIP, ZIP, OLE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
UTF8_BOM = b"\xef\xbb\xbf"
FOREIGN = (
    (GZIP, "gzip bytes", "decompress it, or give it the ending .gz"),
    (ZIP, "a zip archive", "unpack it first"),
    (UTF8_BOM, "a UTF-8 byte order mark", "save it without a byte order mark, or download it again"),
    (b"\xff\xfe", "UTF-16 text", "download the original again; an editor has changed its encoding"),
    (b"\xfe\xff", "UTF-16 text", "download the original again; an editor has changed its encoding"),
    (OLE, "an old Office file", "check which file this is"),
)
HTML_STARTS = (b"<!doctype", b"<html", b"<?xml")


def refuse_foreign(content: bytes, file: str, expected: str, *, bom_allowed: bool = False) -> None:
    """Raise `InputRejected` where the content is plainly something else than `expected`."""
    if not content:
        raise InputRejected(
            f"{file} is empty", where=file, expected=expected, got="0 bytes", next_step="download it again"
        )
    for start, name, advice in FOREIGN:
        if content.startswith(start) and not (bom_allowed and start == UTF8_BOM):
            raise InputRejected(
                f"{file} is not what its name says", where=file, expected=expected, got=name, next_step=advice
            )
    if content[:512].lstrip().lower().startswith(HTML_STARTS):
        advice = "the download gave a web page (an error or a login); fetch the file again"
        raise InputRejected(f"{file} is a web page", where=file, expected=expected, got="HTML", next_step=advice)
