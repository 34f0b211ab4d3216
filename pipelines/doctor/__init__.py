"""The checks of `studyflow doctor`, from the signing secret to the tables."""
