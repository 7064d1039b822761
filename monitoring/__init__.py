"""How we know that it works: reports over what is remembered. It reads SQL, and nothing of it is in the image."""
