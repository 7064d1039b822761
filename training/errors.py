"""What can stop a training command, each as one sentence for the terminal and a non-zero exit."""

from __future__ import annotations


class TrainingError(Exception):
    """Base: the command stops, prints the message and exits with `exit_code`."""

    exit_code = 1


class NotebookFailed(TrainingError):
    """A cell of an exploration script raised."""


class DownloadFailed(TrainingError):
    """A public data set could not be fetched: no network, no account, or no such data set."""


class Misused(TrainingError):
    """Arguments that say nothing together."""

    exit_code = 2


class SettingsInvalid(TrainingError):
    """A variable of the environment is not what it should be."""

    exit_code = 2


class ParamsInvalid(TrainingError):
    """`params.yaml` is no YAML, or has no block `models`."""


class UnknownModel(TrainingError):
    """The catalog declares no model of this name."""

    exit_code = 2


class DataInvalid(TrainingError):
    """Raw files or prepared rows are not what they should be: unreadable, dirtier than usual, or leaking."""


class RawDataMissing(TrainingError):
    """A raw file that the recipe needs is not where it should be."""


class PreparedDataInvalid(TrainingError):
    """Prepared rows and the request schema disagree: training would learn from what serving never sees."""


class FeaturesInvalid(TrainingError):
    """Materialised features are no rows of their view, or an entity has two."""


class FeatureStoreFailed(TrainingError):
    """The place where features are kept cannot be reached, or refuses what it was given."""


class CompileRefused(TrainingError):
    """The compiled model answers otherwise than the pipeline it was compiled from."""


class NotTrained(TrainingError):
    """The stages have not left what the command reads."""


class NotRegistered(TrainingError):
    """The registry has no such version or alias."""


class RegistryFailed(TrainingError):
    """The registry cannot be reached, or refuses what it was asked."""


class SigningFailed(TrainingError):
    """A version cannot be signed, or its signature not be looked at, with the keys that are there."""


class GatesFailed(TrainingError):
    """A trained servable does not pass the gates of its definition."""


class NothingAnswered(TrainingError):
    """Not one row of a slice makes a request that the schema accepts."""


class NotComparable(TrainingError):
    """There are no rows on which two versions could be compared fairly."""


class PromotionRefused(TrainingError):
    """At least one gate failed, the version was withdrawn, or another promotion came first."""


class MovedMeanwhile(PromotionRefused):
    """An alias, or a version, is no longer where it was when somebody looked at it."""

    exit_code = 4


class RecordDiffers(TrainingError):
    """Git's record of versions and the registry's aliases do not agree."""

    exit_code = 4


class RecordsFailed(TrainingError):
    """The database of ledger and prediction log cannot be reached, or refuses what it was asked."""


class BatchRefused(TrainingError):
    """A batch cannot be read, written or gone on with, or not one of its rows could be answered."""


class SearchImpossible(TrainingError):
    """A search cannot start or go on: no features yet, a study of other data, a storage that does not answer."""


class RetrainingFailed(TrainingError):
    """A retraining could not be carried through; what was registered before is untouched."""


class RetrainedVersionRefused(RetrainingFailed):
    """The retrained version failed its gates and is not the candidate."""

    exit_code = 3


class RetrainingRuns(TrainingError):
    """Another retraining of the same model is at work (75 is `EX_TEMPFAIL`: try again later)."""

    exit_code = 75


class NothingToBake(TrainingError):
    """No model of the catalog has a version in production."""
