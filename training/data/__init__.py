"""Where raw data comes from: given files, public downloads, generators, a later slice merged with what is known, a DVC remote."""
