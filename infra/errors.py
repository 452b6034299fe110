"""The errors that a user can meet and mend: commands print their text instead of a traceback."""

from __future__ import annotations

from infra.embedded.accounts import NoAccount
from infra.embedded.jars import DownloadError
from infra.embedded.java import NoJava
from infra.embedded.ports import PortInUse
from infra.embedded.process import ProcessError
from infra.installation import LogReplaced
from infra.kafka import TopicCreationFailed, TopicMismatch
from infra.months import MonthError
from infra.postgres import SchemaMismatch
from infra.settings import SettingsError
from infra.supervisor.folder import FolderError
from infra.supervisor.up import NotReachable

EXPECTED = (
    DownloadError,
    FolderError,
    LogReplaced,
    MonthError,
    NoAccount,
    NoJava,
    NotReachable,
    PortInUse,
    ProcessError,
    SchemaMismatch,
    SettingsError,
    TopicCreationFailed,
    TopicMismatch,
)
