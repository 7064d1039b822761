"""Clients that mean harm, or are broken: what they send is made up here, and what they get is judged strictly."""
