"""The Discord process: keeps who is in voice."""

from slomix.discord_app.process import run_bot

run_bot()
