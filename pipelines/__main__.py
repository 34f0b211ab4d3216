"""`python -m pipelines` is `studyflow`."""

from pipelines.cli import main

if __name__ == "__main__":
    main()
