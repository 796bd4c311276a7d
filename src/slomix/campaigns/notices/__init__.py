"""The messages of a campaign: a class for each, with its event key, its moment, and what it says to whom."""

from slomix.campaigns.notices import calls, dry_run, summary, warnings
from slomix.deliveries.notices import Notice

NOTICES: tuple[Notice, ...] = (
    *calls.CALLS,
    summary.SUMMARY,
    warnings.PRESENCE_UNKNOWN,
    warnings.AT_RISK,
    *dry_run.NOTICES,
)
