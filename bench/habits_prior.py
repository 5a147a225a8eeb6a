"""The weights of other people that travel with the program: fitted on published logs, written to ``recommender/habits/prior.json``.

``python -m bench.habits_prior FOLDER`` with a folder of Spotify exports. What is written are means, scales and one weight a
feature over all of them; no track, artist, time or person is in it.
"""

import json
import sys
from pathlib import Path

from player.research.listening import open_listening
from recommender.habits.features import walk
from recommender.habits.linear import fit_people, prior_document

TARGET = Path(__file__).parent.parent / "recommender" / "habits" / "prior.json"
SOURCE = (
    "Aggregated coefficients over three people's Spotify exports, published under the MIT licence: "
    "jonas-mika/spotify-streaming-history-viz (© 2022 Jonas-Mika Senghaas), VentoVergil/spotify-cosine-recommender "
    "(© 2022 VentoVergil), nikitgoku/spotify_data_investigation (© 2023 nikitgoku)."
)


def main(folder: Path) -> None:
    """Fit on every zip of a folder and write the file."""
    people = []
    for path in sorted(folder.glob("*.zip")):
        plays = open_listening("spotify", path, f"spotify:{path}", {}, None).plays
        if plays is None:
            raise SystemExit(f"{path} holds no plays.")
        people.append((walk(plays), plays.verdict, plays.session))
    document = {"source": SOURCE, **prior_document(fit_people(people))}
    TARGET.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    sys.stdout.write(f"{TARGET} holds the weights of {len(people)} people.\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
