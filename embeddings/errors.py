"""The one exception this package raises for what a user can mend."""


class EmbeddingError(Exception):
    """Why a file, its audio or a front-end's weights could not be used, as one sentence for the user.

    The sentence never holds the path of a music file (callers know it, and it is untrusted text); for weights it names
    the file, because finding it is the mend.
    """
