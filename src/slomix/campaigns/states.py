"""What campaigns, their phases and their messages are called, by what stores them."""

from slomix.i18n import N_, Texts

# The states of campaigns, phases and messages: in {status} above and on badges.
STATE_NAMES = Texts(
    {
        "pending": N_("planned"),
        "scheduled": N_("scheduled"),
        "running": N_("under way"),
        "sending": N_("on its way"),
        "sent": N_("sent"),
        "followup_sent": N_("sent"),
        # A campaign of which nothing went wrong, tonight and afterwards.
        "called": N_("sent"),
        "over": N_("ended"),
        # Some did not go well, by what it was.
        "partial": N_("some not reached"),
        "unreached": N_("nobody reached"),
        "check_failed": N_("voice check failed"),
        "summary_failed": N_("summary not posted"),
        "failed": N_("failed"),
        "skipped": N_("skipped"),
        "unknown": N_("unknown"),
        "cancelled": N_("cancelled"),
    }
)

CANCEL_CONSEQUENCES = (
    N_("Messages already sent stay; the rest won’t go out."),
    N_("You can’t resume it, but you can schedule a new one."),
)
REPEAT_CONSEQUENCES = (N_("It may have arrived already, and would then arrive twice."),)


# The phases of an evening, by what stores them.
PHASE_NAMES = Texts(
    {
        "send_reminder_2045": N_("Reminder"),
        "send_start_2100": N_("Start"),
        "voice_check_2100": N_("Voice check"),
        "summary": N_("Summary"),
    }
)

PHASE_STATES = Texts(
    {
        "running": N_("under way"),
        "sent": N_("done"),
        "failed": N_("failed"),
    }
)
