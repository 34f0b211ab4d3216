"""The receiver: takes signed webhooks over HTTP and acknowledges each once it is on disk, as a line of a file."""
