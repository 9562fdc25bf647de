"""The command `rlplat`, also as `python -m rlplat`."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during the imports: the end, without a traceback

from rlplat.cli import main

if __name__ == "__main__":
    main()
