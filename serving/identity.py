"""What a worker needs to know who is asking, wired from the settings: a part of `serving.bootstrap`."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from auth.audit import Audit
from auth.authenticator import Authenticator
from auth.database import Database
from auth.directory import SqlUserDirectory
from auth.issuer_choice import ExternalIssuers, IssuerChoice
from auth.keys import NoKeys
from auth.lockout import Lockout
from auth.login import Prover
from auth.login_failures import SqlLoginFailures
from auth.passwords import Passwords
from auth.session_store import SqlSessions
from auth.sessions import Sessions, Surroundings
from auth.tokens import JwtVerifier, TokenIssuer
from serving.audit import audit_log
from serving.identity_folder import IdentityFolder
from serving.identity_metrics import IdentityMetrics
from serving.key_files import KeyFiles
from serving.limits.own_pace import OwnPace
from serving.own_keys import own_keys
from serving.policy_setting import policy_file
from serving.revoking import Revoking, lives_of
from serving.runtime import Errand
from serving.settings import Settings

KEY_STEP_SECONDS = 1.0


class Identity:
    """One worker's objects of identity.

    `errands` run beside the requests; `unready` says why nobody may be let in yet, empty when all is known.
    """

    def __init__(self, settings: Settings, metrics: IdentityMetrics, *, audit: Audit = audit_log) -> None:
        self._settings, self._metrics, self._audit = settings, metrics, audit
        self.keys = keys = own_keys(settings, audit=self._keys_told)
        issuer, audience = settings.jwt_issuer, settings.jwt_audience
        ttl, leeway = settings.jwt_access_ttl_seconds, settings.jwt_leeway_seconds
        self.issuer = TokenIssuer(keys, issuer=issuer, audience=audience, ttl_seconds=ttl, clock=time.time)
        verifier = JwtVerifier(keys, issuer=issuer, audience=audience, clock=time.time, leeway_seconds=leeway)
        self.policy = policy_file(settings, audit=self._policy_told)
        self.others = ExternalIssuers(self.policy, clock=time.time, leeway_seconds=leeway)
        choice = IssuerChoice(verifier if self.issues_tokens else None, self.others, own_iss=issuer)
        self.revoking = Revoking(settings)
        self.revocations = self.revoking.revocations
        self.authenticator = Authenticator([choice], clock=time.time, revocations=self.revocations)
        folder, cooldown = IdentityFolder(settings.model_store_dir), settings.jwks_cooldown_seconds
        self.key_files = KeyFiles(folder, self.others, self.policy, metrics, cooldown_seconds=cooldown)
        url, mounted = settings.database_url.get_secret_value(), settings.database_url_file
        self.database = Database(url, mounted=mounted)
        self.users = SqlUserDirectory(self.database)
        lockout = Lockout(SqlLoginFailures(self.database), clock=time.time)
        self.prover = Prover(self.users, Passwords(), lockout=lockout, audit=audit)
        self.sessions = self._sessions()
        self.errands: list[Errand] = [
            self._follow_keys,
            self.key_files.run,
            partial(self.revoking.follower.run, metrics),
        ]

    @property
    def issues_tokens(self) -> bool:
        """False where the policy file names others and there is no key of our own: nobody logs in here then."""
        return not isinstance(self.keys, NoKeys)

    def unready(self) -> str:
        reasons = self.key_files.unready(), self.revoking.follower.unready()
        return "; ".join(reason for reason in reasons if reason)

    def _sessions(self) -> Sessions:
        around = Surroundings(
            announce=self.revoking.announce, audit=self._audit, clock=time.time, pace=OwnPace(self._metrics)
        )
        lives = lives_of(self._settings)
        return Sessions(SqlSessions(self.database), self.issuer, lives=lives, around=around)

    async def _follow_keys(self) -> None:
        """So that a change is noticed, and told to those who read `jwks.json`, while nobody asks for anything else."""
        while True:
            self.keys.generation()
            await asyncio.sleep(KEY_STEP_SECONDS)

    def _keys_told(self, event: str, **facts: object) -> None:
        self._audit(event, **facts)
        self._metrics.keys_changed(event.removeprefix("keys."))

    def _policy_told(self, event: str, **facts: object) -> None:
        self._audit(event, **facts)
        self._metrics.policy_reloaded("ok" if event == "policy.changed" else "refused")
