"""The Discord process: keeps who is in voice."""

from slomix.processes.discord.process import run_bot

run_bot()
