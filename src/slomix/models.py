"""Every table, gathered for the migrations."""

from slomix.accounts import models as _accounts
from slomix.availability import models as _availability
from slomix.campaigns import models as _campaigns
from slomix.chat import models as _inbox
from slomix.contacts import models as _contacts
from slomix.database.session import Base
from slomix.deliveries import models as _deliveries
from slomix.evening import models as _evening
from slomix.health import models as _health
from slomix.jobs import models as _jobs
from slomix.planning import models as _planning
from slomix.presence import models as _presence

__all__ = ["Base"]

_ = (
    _accounts,
    _availability,
    _campaigns,
    _contacts,
    _deliveries,
    _evening,
    _health,
    _inbox,
    _jobs,
    _planning,
    _presence,
)
