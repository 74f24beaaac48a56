"""`python -m voucherd`, the same as the command `voucherd`."""

from voucherd.cli import main

main()
