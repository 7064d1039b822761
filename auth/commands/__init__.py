"""What an administrator can do to users, clients and sessions: the commands of `python -m auth`."""
