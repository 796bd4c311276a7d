-- The tables of the earlier site as its migrations 004 to 007 left them, with their constraints; times are naive.

CREATE TABLE website_users (
    id BIGINT PRIMARY KEY,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_login_at TIMESTAMP
);

CREATE TABLE discord_accounts (
    id BIGSERIAL PRIMARY KEY,
    user_id BIGINT NOT NULL UNIQUE REFERENCES website_users (id) ON DELETE CASCADE,
    discord_user_id BIGINT NOT NULL UNIQUE,
    username TEXT NOT NULL,
    display_name TEXT,
    avatar TEXT,
    linked_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_refreshed_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE user_player_links (
    user_id BIGINT PRIMARY KEY REFERENCES website_users (id) ON DELETE CASCADE,
    player_guid TEXT NOT NULL UNIQUE,
    player_name TEXT,
    linked_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE player_links (
    id SERIAL PRIMARY KEY,
    player_guid TEXT NOT NULL UNIQUE,
    discord_id BIGINT NOT NULL UNIQUE,
    discord_username TEXT,
    player_name TEXT,
    linked_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    display_name TEXT,
    display_name_source TEXT DEFAULT 'auto',
    display_name_updated_at TIMESTAMP
);

CREATE TABLE account_link_audit_log (
    id BIGSERIAL PRIMARY KEY,
    user_id BIGINT,
    discord_user_id BIGINT,
    action TEXT NOT NULL CHECK (
        action IN ('discord_linked', 'discord_unlinked', 'player_linked', 'player_unlinked', 'player_changed')
    ),
    actor_discord_id BIGINT,
    metadata JSONB,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE user_permissions (
    id SERIAL PRIMARY KEY,
    discord_id BIGINT NOT NULL UNIQUE,
    tier TEXT NOT NULL CHECK (tier IN ('root', 'admin', 'moderator'))
);

CREATE TABLE availability_entries (
    id BIGSERIAL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    user_name TEXT,
    entry_date DATE NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('LOOKING', 'AVAILABLE', 'MAYBE', 'NOT_PLAYING')),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (user_id, entry_date)
);

CREATE TABLE availability_user_settings (
    user_id BIGINT PRIMARY KEY,
    sound_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    sound_cooldown_seconds INTEGER NOT NULL DEFAULT 480,
    availability_reminders_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    timezone VARCHAR(64) NOT NULL DEFAULT 'UTC',
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE availability_channel_links (
    id BIGSERIAL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    channel_type TEXT NOT NULL CHECK (channel_type IN ('discord', 'telegram', 'signal')),
    destination TEXT,
    verification_token_hash TEXT,
    token_expires_at TIMESTAMP,
    verification_requested_at TIMESTAMP,
    verified_at TIMESTAMP,
    UNIQUE (user_id, channel_type)
);

CREATE TABLE availability_subscriptions (
    id BIGSERIAL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    channel_type TEXT NOT NULL CHECK (channel_type IN ('discord', 'telegram', 'signal')),
    channel_address TEXT,
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    verified_at TIMESTAMP,
    preferences JSONB NOT NULL DEFAULT '{}',
    UNIQUE (user_id, channel_type)
);

CREATE TABLE notifications_ledger (
    id BIGSERIAL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    event_key TEXT NOT NULL,
    channel_type TEXT NOT NULL CHECK (channel_type IN ('discord', 'telegram', 'signal')),
    sent_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    message_id TEXT,
    error TEXT,
    retries INTEGER NOT NULL DEFAULT 0,
    payload JSONB,
    UNIQUE (user_id, event_key, channel_type)
);

CREATE TABLE subscription_preferences (
    user_id BIGINT PRIMARY KEY REFERENCES website_users (id) ON DELETE CASCADE,
    allow_promotions BOOLEAN NOT NULL DEFAULT FALSE,
    preferred_channel TEXT NOT NULL DEFAULT 'any' CHECK (preferred_channel IN ('discord', 'telegram', 'signal', 'any')),
    telegram_handle_encrypted TEXT,
    signal_handle_encrypted TEXT,
    quiet_hours JSONB NOT NULL DEFAULT '{}',
    timezone TEXT NOT NULL DEFAULT 'Europe/Ljubljana',
    notify_threshold INTEGER NOT NULL DEFAULT 0,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE availability_promotion_campaigns (
    id BIGSERIAL PRIMARY KEY,
    campaign_date DATE NOT NULL,
    target_timezone TEXT NOT NULL DEFAULT 'Europe/Ljubljana',
    target_start_time TIME NOT NULL DEFAULT '21:00',
    initiated_by_user_id BIGINT NOT NULL REFERENCES website_users (id) ON DELETE RESTRICT,
    initiated_by_discord_id BIGINT NOT NULL,
    include_maybe BOOLEAN NOT NULL DEFAULT FALSE,
    include_available BOOLEAN NOT NULL DEFAULT FALSE,
    dry_run BOOLEAN NOT NULL DEFAULT FALSE,
    status TEXT NOT NULL DEFAULT 'scheduled' CHECK (
        status IN ('scheduled', 'running', 'sent', 'followup_sent', 'partial', 'failed', 'cancelled')
    ),
    idempotency_key TEXT NOT NULL,
    recipient_count INTEGER NOT NULL DEFAULT 0,
    channels_summary JSONB NOT NULL DEFAULT '{}',
    recipients_snapshot JSONB NOT NULL DEFAULT '[]',
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (campaign_date, initiated_by_user_id),
    UNIQUE (campaign_date, idempotency_key)
);

CREATE TABLE availability_promotion_jobs (
    id BIGSERIAL PRIMARY KEY,
    campaign_id BIGINT NOT NULL REFERENCES availability_promotion_campaigns (id) ON DELETE CASCADE,
    job_type TEXT NOT NULL CHECK (job_type IN ('send_reminder_2045', 'send_start_2100', 'voice_check_2100')),
    run_at TIMESTAMPTZ NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'sent', 'skipped', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL DEFAULT 5,
    last_error TEXT,
    payload JSONB,
    sent_at TIMESTAMPTZ,
    UNIQUE (campaign_id, job_type)
);

CREATE TABLE availability_promotion_send_logs (
    id BIGSERIAL PRIMARY KEY,
    campaign_id BIGINT NOT NULL REFERENCES availability_promotion_campaigns (id) ON DELETE CASCADE,
    job_id BIGINT REFERENCES availability_promotion_jobs (id) ON DELETE SET NULL,
    user_id BIGINT NOT NULL,
    channel_type TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'sent', 'failed', 'skipped')),
    message_id TEXT,
    error TEXT,
    payload JSONB,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
