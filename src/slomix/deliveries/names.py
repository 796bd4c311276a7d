"""What messages are called on pages."""

from slomix.i18n import N_, Texts

# The messages of an evening, by what stores them.
NOTICE_NAMES = Texts(
    {
        "send_reminder_2045": N_("Reminder"),
        "send_start_2100": N_("Start"),
        "voice_check_2100": N_("Follow-up"),
        "summary": N_("Summary"),
        "presence_unknown": N_("Warning"),
        "at_risk": N_("Early warning"),
        # Messages about a day, with or without a promoter.
        "session_ready": N_("Session ready"),
        "looking": N_("So many looking"),
        "daily_reminder": N_("Daily reminder"),
        "planning_ask": N_("More needed"),
        "test": N_("Test message"),
        "introduction": N_("Introduction"),
        "dry_run.send_reminder_2045": N_("Dry run: Reminder"),
        "dry_run.send_start_2100": N_("Dry run: Start"),
        "dry_run.voice_check_2100": N_("Dry run: Follow-up"),
        "dry_run.summary": N_("Dry run: Summary"),
    }
)
