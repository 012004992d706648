"""`python -m leadpulse` is the same as `leadpulse`."""

from leadpulse.cli import main

if __name__ == "__main__":
    main()
