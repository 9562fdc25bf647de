"""`python -m rlplat` is the command `rlplat`."""

from rlplat.cli import main

if __name__ == "__main__":
    main()
