"""Discord's slash commands and buttons, which arrive as signed HTTP requests."""
