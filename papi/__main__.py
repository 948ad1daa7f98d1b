"""`python -m papi` is the same as `papi`."""

from papi.cli import main

main()
