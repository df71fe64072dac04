"""`python -m service` is the program `chokepoint`."""

from service.cli import main

main(prog_name="chokepoint")
