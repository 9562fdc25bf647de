"""Errors that a user can mend. The command line prints their text alone, without a traceback."""


class RlplatError(Exception):
    """What was found, what is allowed, where it came from, and what to do."""


class ConfigError(RlplatError):
    """A configuration that cannot be used."""


class RegistryError(RlplatError):
    """A name that leads to no object, to an untrusted package, or to an object of another kind."""


class GameError(RlplatError):
    """A game whose rules cannot be compiled, loaded or obeyed; an illegal move."""


class RulesError(GameError):
    """Rules that break the contract of a game while it is played."""


class NotationError(RlplatError):
    """A written record of games that is malformed, or of games that cannot have been played."""


class ProgramError(RlplatError):
    """Another program that plays games: missing, ended, silent, or answering nonsense."""


class EnvError(RlplatError):
    """An action, input or step that an environment or model cannot use, or a state that left the finite numbers."""


class CheckpointError(RlplatError):
    """A checkpoint that is missing, broken, or of another run."""


class RunError(RlplatError):
    """A run folder that cannot be created, opened or continued."""


class JobError(RlplatError):
    """A cluster that cannot be reached or used; a job that cannot be submitted, found or stopped."""


class SceneError(RlplatError):
    """A model that cannot be drawn as it was asked for."""


class DeviceError(RlplatError):
    """A device that was asked for and is not there."""


class WorkerError(RlplatError):
    """An actor or the learner failed for good."""


class DivergedError(WorkerError):
    """Training that left the finite numbers."""
