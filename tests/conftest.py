"""What holds for all tests."""

import signal


def pytest_configure():
    """Let Ctrl-C be Ctrl-C: a shell that starts the tests in the background has children ignore it, theirs included."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
