"""One table of aliases for the fields of all tag systems, and their values merged field by field.

Names are plain (``blocks.plain_name``): ``ALBUMARTIST`` stands for "Album Artist", "album_artist" and "WM/AlbumArtist" alike.
Within a block the alias that stands first wins, between blocks the block that stands first (``reader.read_blocks``).
"""

from collections.abc import Sequence
from types import MappingProxyType

from player.library.tagging.blocks import TagBlock

ALIASES = MappingProxyType(
    {
        name: tuple(aliases.split())
        for name, aliases in {
            "title": "TIT2 TT2 ©NAM TITLE INAM NAME",
            "artist": "TPE1 TP1 ©ART ARTIST AUTHOR IART AUTH PERFORMER",
            "artists": "ARTISTS",
            "album": "TALB TAL ©ALB ALBUM ALBUMTITLE IPRD",
            "album_artist": "TPE2 TP2 AART ALBUMARTIST ALBUMARTISTS ENSEMBLE IAAR",
            "genre": "TCON TCO ©GEN GNRE GENRE IGNR",
            "date": "TDRC TYER TYE ©DAY DATE YEAR TDRL TDAT RELEASEDATE ICRD",
            "original_date": "TDOR TORY TOR ORIGINALDATE ORIGINALYEAR ORIGINALRELEASEYEAR ORIGINALRELEASETIME ORIGYEAR",
            "track": "TRCK TRK TRKN TRACKNUMBER TRACK TRACKNUM ITRK IPRT",
            "track_total": "TRACKTOTAL TOTALTRACKS TRACKC IFRM",
            "disc": "TPOS TPA DISK DISCNUMBER DISC DISCNUM PARTOFSET",
            "disc_total": "DISCTOTAL TOTALDISCS DISCC",
            "composer": "TCOM TCM ©WRT COMPOSER IMUS",
            "work": "WORK ©WRK",
            "content_group": "TIT1 TT1",
            "movement": "MVNM ©MVN MOVEMENTNAME",
            "movement_number": "MVIN ©MVI MOVEMENTNUMBER MOVEMENT",
            "compilation": "TCMP TCP CPIL COMPILATION ISCOMPILATION",
            "lyrics": "USLT ©LYR LYRICS UNSYNCEDLYRICS UNSYNCLYRICS",
            "synced_lyrics": "SYLT SYNCEDLYRICS",
            "track_gain": "REPLAYGAINTRACKGAIN",
            "album_gain": "REPLAYGAINALBUMGAIN",
            "track_peak": "REPLAYGAINTRACKPEAK",
            "album_peak": "REPLAYGAINALBUMPEAK",
            "r128_track_gain": "R128TRACKGAIN",
            "r128_album_gain": "R128ALBUMGAIN",
            "musicbrainz_recording": "MUSICBRAINZTRACKID UFIDHTTP:MUSICBRAINZ.ORG",
            "musicbrainz_release": "MUSICBRAINZALBUMID",
            "musicbrainz_album_artist": "MUSICBRAINZALBUMARTISTID",
            "acoustid": "ACOUSTIDID",
            "cue_sheet": "CUESHEET",
            "rating": "POPM FMPSRATING RATING SHAREDUSERRATING RATE",
        }.items()
    }
)


_RANKS = {alias: (field, rank) for field, aliases in ALIASES.items() for rank, alias in enumerate(aliases)}


def merge_fields(blocks: Sequence[TagBlock]) -> dict[str, list[str]]:
    """The values of every field that has any, from the block and by the alias that come first."""
    found: dict[str, list[str]] = {}
    for block in blocks:
        ranks: dict[str, int] = {}
        for name, values in block.values.items():
            field, rank = _RANKS.get(name, ("", 0))
            better = (field in ranks and rank < ranks[field]) or field not in found
            if field and better and any(map(str.strip, values)):
                found[field], ranks[field] = values, rank
    return found
