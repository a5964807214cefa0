"""Speed against named peers, in one interleaved run, beside what the machine can do at most."""
