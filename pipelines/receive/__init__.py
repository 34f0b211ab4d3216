"""The receiver of webhooks: what Rally signed is on the disk, as a line of a file, before it is answered."""
