"""A version on a later slice of raw data, asked row by row as a careful client would ask."""
