"""What the black-box tests start, drive and look at.

Nothing here knows how Larder works inside: it starts the built binary, speaks HTTP to it, runs the
clients that users run, and kills processes it started itself.
"""
