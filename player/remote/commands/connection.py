"""The connection itself, and what can be asked about the server."""

import hmac

from player.remote.context import HANDLERS, Client, Remote, handles
from player.remote.filters import TAG_NAMES
from player.remote.protocol import Ack, AckError, Answer, whole

SMALLEST_CHUNK, LARGEST_CHUNK = 64, 1_048_576
"""Bytes of a picture at once: MPD's own lower limit, and what a line to a phone can still bear."""


@handles("ping", open_to_all=True)
def ping(_remote: Remote, _client: Client) -> Answer:
    """Answer at all."""
    return None


@handles("password", 1, open_to_all=True)
def password(remote: Remote, client: Client, told: str) -> Answer:
    """Let a client do everything from now on."""
    if not remote.password or not hmac.compare_digest(told.encode(), remote.password.encode()):
        raise AckError(Ack.PASSWORD, "incorrect password")
    client.allowed = True
    return None


@handles("binarylimit", 1)
def binarylimit(_remote: Remote, client: Client, size: str) -> Answer:
    """Take so many bytes of a picture at once."""
    chunk = whole(size)
    if not SMALLEST_CHUNK <= chunk <= LARGEST_CHUNK:
        raise AckError(Ack.ARG, f"a chunk has {SMALLEST_CHUNK} to {LARGEST_CHUNK} bytes")
    client.chunk = chunk
    return None


@handles("tagtypes", 0, 100)
def tagtypes(_remote: Remote, client: Client, what: str = "", *names: str) -> Answer:
    """List the tags, or choose those that are told."""
    known = {name.casefold() for name in names} & set(TAG_NAMES)
    match what:
        case "" | "available":
            return [("tagtype", name) for name in TAG_NAMES.values() if what or name.casefold() in client.tags]
        case "all":
            client.tags = set(TAG_NAMES)
        case "clear":
            client.tags = set()
        case "enable":
            client.tags |= known
        case "disable":
            client.tags -= known
        case "reset":
            client.tags = known
        case _:
            raise AckError(Ack.ARG, f"“{what[:40]}” is nothing to do with tags")
    return None


@handles("commands", open_to_all=True)
def commands(_remote: Remote, client: Client) -> Answer:
    """List what a client may do."""
    names = {name for name, handler in HANDLERS.items() if client.allowed or handler.open}
    return [("command", name) for name in sorted(names | {"close", "idle", "noidle"})]


@handles("notcommands", open_to_all=True)
def notcommands(_remote: Remote, client: Client) -> Answer:
    """List what it may only do after telling the password."""
    return [("command", name) for name, handler in sorted(HANDLERS.items()) if not (client.allowed or handler.open)]


@handles("config")
def config(remote: Remote, client: Client) -> Answer:
    """Tell where the music is, to whom it may concern: programs of the same listener on this machine."""
    if not client.local:
        raise AckError(Ack.PERMISSION, "only over the socket in the data folder")
    roots = remote.roots
    return [("music_directory", roots[0])] if len(roots) == 1 else []


@handles("urlhandlers")
def urlhandlers(_remote: Remote, _client: Client) -> Answer:
    """List kinds of addresses that can be played besides the library: none."""
    return None


@handles("decoders")
def decoders(_remote: Remote, _client: Client) -> Answer:
    """List decoders."""
    return [("plugin", "ffmpeg")]


@handles("listpartitions")
def listpartitions(_remote: Remote, _client: Client) -> Answer:
    """List partitions: there is one player."""
    return [("partition", "default")]


@handles("channels")
def channels(_remote: Remote, _client: Client) -> Answer:
    """List channels between clients: there are none."""
    return None


@handles("outputs")
def outputs(remote: Remote, _client: Client) -> Answer:
    """List where the sound comes out."""
    name = remote.snapshot.output or "opening"
    return [("outputid", 0), ("outputname", name), ("plugin", name.split(" ")[0].strip(":,")), ("outputenabled", 1)]
