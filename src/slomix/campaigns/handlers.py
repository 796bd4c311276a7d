"""The handlers of a campaign's jobs."""

from slomix.campaigns import rules
from slomix.campaigns.attendance import FinalCount
from slomix.campaigns.notices.calls import REMINDER, START
from slomix.campaigns.progress import DryRun, NoticeProgress, VoiceSummary
from slomix.campaigns.risk_monitor import RiskMonitor
from slomix.campaigns.voice_check import VoiceCheck
from slomix.jobs.runner import AnyHandler

HANDLERS: dict[str, AnyHandler] = {
    rules.REMINDER: NoticeProgress(REMINDER),
    rules.START: NoticeProgress(START),
    rules.VOICE_CHECK: VoiceCheck(),
    rules.VOICE_SUMMARY: VoiceSummary(),
    rules.ATTENDANCE: FinalCount(),
    rules.RISK_MONITOR: RiskMonitor(),
    rules.DRY_RUN: DryRun(),
}
