"""Which key signs and which keys verify while keys come and go: one immutable state and its two moves.

Replicas read the same file, but not at the same time. So a new key only verifies at first ("settles"), until every
replica has it, and one that was taken away goes on verifying ("grace") until the tokens that it signed have expired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from auth.keys import Key, KeyList


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """How long a new key only verifies, and how long one that was taken away still does."""

    settle_seconds: float = 120.0
    grace_seconds: float = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A key and its times. `gone_at`: since when no file lists it; `until`: when it verifies no more, once that is known."""

    key: Key
    settled_at: float
    gone_at: float = inf
    until: float = inf


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """`listed` are in the order of the files. The signing key is always among `listed` or `gone`."""

    periods: Periods
    listed: tuple[Held, ...]
    gone: tuple[Held, ...] = ()
    signing: Key

    @classmethod
    def started(cls, given: KeyList, periods: Periods, *, first_seen: float, now: float) -> KeyRing:
        """Of a process that begins: what it finds counts as settled, but for the first of several keys.

        Nobody knows whether the other replicas have that one already; `first_seen` says how old its file is. A key that is
        alone signs at once, for there is no other. Raises ValueError without a key.
        """
        keys = _believed(given)
        settled_at = first_seen + periods.settle_seconds if len(keys) > 1 else -inf
        listed = (
            Held(key=keys[0], settled_at=settled_at),
            *(Held(key=key, settled_at=-inf) for key in keys[1:]),
        )
        return cls(periods=periods, listed=listed, signing=keys[-1 if len(keys) == 1 else 1]).at(now)

    def replaced(self, given: KeyList, now: float) -> KeyRing:
        """After the files have changed. Raises ValueError, with nothing changed, if no key were left in them."""
        before = {held.key.kid: held for held in (*self.gone, *self.listed)}
        listed = tuple(self._listed(key, before.get(key.kid), now) for key in _believed(given))
        kids = {held.key.kid for held in listed} | given.revoked
        gone = tuple(
            held if held.gone_at < inf else replace(held, gone_at=now)
            for kid, held in before.items()
            if kid not in kids
        )
        return replace(self, listed=listed, gone=gone).at(now)

    def at(self, now: float) -> KeyRing:
        """At a later moment: keys may have settled, and others have come to their end."""
        signer = self._signer(now)
        gone = [self._ending(held, signer) for held in self.gone if held.key.kid != signer.key.kid]
        if signer.gone_at < inf:
            gone.append(signer)
        return replace(self, signing=signer.key, gone=tuple(held for held in gone if held.until > now))

    def held(self) -> Iterator[Held]:
        """All that verify, the signing key first."""
        every = (*self.listed, *self.gone)
        yield from (held for held in every if held.key.kid == self.signing.kid)
        yield from (held for held in every if held.key.kid != self.signing.kid)

    def _listed(self, key: Key, before: Held | None, now: float) -> Held:
        """One that comes back settles again: the others may have dropped it meanwhile. The one that signs is in use anyway."""
        if before is not None and (before.gone_at == inf or key.kid == self.signing.kid):
            return Held(key=key, settled_at=before.settled_at)
        return Held(key=key, settled_at=now + self.periods.settle_seconds)

    def _signer(self, now: float) -> Held:
        """The first that has settled; until there is one, the key that signed before; if that was revoked, the first."""
        settled = [held for held in self.listed if held.settled_at <= now]
        before = [held for held in (*self.listed, *self.gone) if held.key.kid == self.signing.kid]
        return (*settled, *before, *self.listed)[0]

    def _ending(self, held: Held, signer: Held) -> Held:
        """Grace begins when it is in no file and signs no more: the last token that it signed is as old as that."""
        if held.until < inf:
            return held
        signed_until = signer.settled_at if held.key.kid == self.signing.kid else -inf
        return replace(held, until=max(held.gone_at, signed_until) + self.periods.grace_seconds)


def _believed(given: KeyList) -> Sequence[Key]:
    keys = [key for key in given.keys if key.kid not in given.revoked]
    if not keys:
        raise ValueError("no key is left that could sign")
    return keys
