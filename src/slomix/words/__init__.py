"""Every word that the code itself says to a person, ready to be translated. The rest stands in the templates.

A sentence with {blanks} is filled in by `str.format`, and `Final`, so that mypy knows whether every blank is.
"""

from slomix.words.admins import *
from slomix.words.cards import *
from slomix.words.discord import *
from slomix.words.kinds import *
from slomix.words.messages import *
from slomix.words.moving import *
from slomix.words.pages import *
from slomix.words.planning import *
from slomix.words.questions import *
from slomix.words.reasons import *
