"""What jobs, and acts in the audit log, are called."""

from slomix.i18n import N_, Texts

# What each kind of job does, by the name it is stored under.
JOB_NAMES = Texts(
    {
        "delivery": N_("sends one message"),
        "send_reminder_2045": N_("completes a campaign’s reminders"),
        "send_start_2100": N_("completes a campaign’s start messages"),
        "voice_check_2100": N_("checks who’s missing in voice, and nudges them"),
        "voice_summary": N_("posts the summary after the follow-ups"),
        "attendance": N_("counts who came, for the summary"),
        "campaign_watch": N_("watches a campaign, and warns its promoter"),
        "dry_run": N_("sends a dry run to its promoter"),
        "session_ready": N_("tells players that enough are looking"),
        "session_ready_edits": N_("edits that message when it’s no longer true, or again"),
        "looking": N_("tells players that so many are looking"),
        "daily_reminder": N_("asks players once a day"),
        "planning_turn": N_("picks when a captain’s time is up"),
        "planning_thread": N_("keeps the planning room’s thread on Discord"),
        "evening_message": N_("keeps tonight’s message in the announcement room"),
        "scheduled_event": N_("keeps tonight’s event on Discord like its campaign"),
        "check_members": N_("checks who left the Discord server"),
        "retention": N_("deletes old messages"),
        "introduce": N_("introduces Slomix to a player on Discord"),
        "open_dms": N_("opens direct messages ahead of a game night"),
    }
)

# The parts of the system, by the names that `/health` has for them.
PART_NAMES = Texts(
    {
        "database": N_("Database"),
        "redis": N_("Redis"),
        "scheduler": N_("Scheduler"),
        "worker": N_("Worker"),
        "discord": N_("Discord process"),
        "inbox": N_("Inbox"),
        "disk": N_("Disks"),
        "backup": N_("Backup"),
        "public_url": N_("Public address"),
        "certificate": N_("Certificate"),
        "discord_provider": N_("Discord"),
        "telegram_provider": N_("Telegram"),
        "signal_provider": N_("Signal"),
    }
)

# Who did something in the audit log and is no account.
ACTORS = Texts(
    {
        "command line": N_("an operator"),
        "discord": N_("Discord, as we saw there"),
        "deleted": N_("an account that was deleted"),
    }
)

ACTIONS = Texts(
    {
        "discord_linked": N_("first login"),
        "discord_unlinked": N_("account deleted"),
        "player_linked": N_("linked"),
        "player_changed": N_("changed profile"),
        "player_unlinked": N_("unlinked"),
        "player_claimed": N_("claimed a profile"),
        "claim_refused": N_("claim refused"),
        "role_granted": N_("right granted"),
        "role_revoked": N_("right revoked"),
        "signed_out_everywhere": N_("logged out everywhere"),
        "left_guild": N_("left the server"),
        "came_back": N_("came back"),
        "players_imported": N_("players imported"),
        "moved_in": N_("moved in from the earlier site"),
        "links_seen": N_("new links marked as seen"),
        "sending_paused": N_("sending paused"),
        "sending_resumed": N_("sending resumed"),
        "job_retried": N_("job retried"),
        "job_cancelled": N_("job cancelled"),
        "campaign_retried": N_("another's campaign retried"),
        "campaign_cancelled": N_("another's campaign cancelled"),
        "process_dismissed": N_("a silent process dismissed"),
    }
)
