"""What an error is called, by its HTTP status, and what is said where no code of ours was reached."""

from slomix.i18n import N_, Texts

# What stands above the sentence on an error's page, by HTTP status; in JSON it stays English.
TITLES = {
    400: N_("Not understood"),
    401: N_("Log in to continue"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Not possible here"),
    409: N_("Not now"),
    413: N_("Too large"),
    422: N_("That does not work"),
    429: N_("A moment, please"),
    500: N_("Something broke on our side"),
    503: N_("Not reachable"),
}

UNTITLED = N_("That did not work")

# What went wrong when no code of ours was reached.
REFUSALS = Texts(
    {
        405: N_("This address does not work that way."),
        408: N_("That took too long to arrive. Nothing was changed; try again."),
        413: N_("That is more than we take at once. Nothing was changed."),
        429: N_("That was a little often. Wait a moment, then try again; nothing was changed."),
    }
)
