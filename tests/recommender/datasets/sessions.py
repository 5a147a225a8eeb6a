"""Rows in the schema of the Music Streaming Sessions Dataset."""

import numpy as np

MSSD_HEADER = (
    "session_id,session_position,session_length,track_id_clean,skip_1,skip_2,skip_3,not_skipped,context_switch,"
    "no_pause_before_play,short_pause_before_play,long_pause_before_play,hist_user_behavior_n_seekfwd,"
    "hist_user_behavior_n_seekback,hist_user_behavior_is_shuffle,hour_of_day,date,premium,context_type,"
    "hist_user_behavior_reason_start,hist_user_behavior_reason_end"
)
FLAGS = {
    "skip_1": "true,true,true,false",
    "skip_2": "false,true,true,false",
    "skip_3": "false,false,true,false",
    "not_skipped": "false,false,false,true",
    "none": "false,false,false,false",
}


def mssd_row(session, position, track, what, date="2018-07-15", context="radio", reason="trackdone"):
    return (
        f"{session},{position},20,{track},{FLAGS.get(what, what)},0,1,0,0,0,0,false,16,{date},true,{context},"
        f"trackdone,{reason}"
    )


def mssd_sessions(rows, length=10, tracks=300, contexts=("radio",), seed=0):
    """Lines of whole sessions in a made-up log."""
    rng = np.random.default_rng(seed)
    track = rng.integers(tracks, size=rows).tolist()
    what = rng.choice(["skip_1", "skip_2", "skip_3", "not_skipped"], rows).tolist()
    return [
        mssd_row(
            f"0_{row // length:08d}", row % length + 1, f"t_{track[row]}", what[row],
            date=f"2018-0{7 + row // length % 2}-1{row // length % 7}", context=contexts[row // length % len(contexts)],
        )
        for row in range(rows)
    ]  # fmt: skip
