"""Decides who moves in as which player: one Discord account, one profile; links made here win."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from slomix.accounts.rules import canonical_guid, is_discord_id
from slomix.legacy_import.report import ImportOutcome, ImportReport, RowKind
from slomix.legacy_import.source import SourceRow, SourceSnapshot
from slomix.presence.game_names import has_control, plain_name, usable_name

# The length limit there.
NAME_LENGTH = 100


@dataclass(frozen=True)
class LegacyAccount:
    """A Discord account here; `guid` is None without a profile."""

    guid: str | None
    has_open_claim: bool = False


@dataclass(frozen=True)
class CurrentState:
    """The state here that decides about people: accounts by Discord id, and guids."""

    accounts: Mapping[str, LegacyAccount] = field(default_factory=dict)
    profiles: Collection[str] = ()
    # Profiles that moved in earlier, and those that their owner gave up here.
    moved: Collection[str] = ()
    released: Collection[str] = ()

    @cached_property
    def taken_profiles(self) -> frozenset[str]:
        """Return the profiles that have an owner."""
        return frozenset(account.guid for account in self.accounts.values() if account.guid is not None)


@dataclass(frozen=True)
class LegacyPerson:
    """A person of the earlier site with their profile there."""

    discord_id: str
    guid: str
    name: str
    aliases: tuple[str, ...] = ()
    username: str = ""
    display_name: str = ""
    last_login_at: datetime | None = None

    @property
    def label(self) -> str:
        return plain_name(self.name)


@dataclass
class PeopleToImport:
    """The people who move in, by Discord id; who of them is linked already; and the profiles to create."""

    people: dict[str, LegacyPerson] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)
    profiles: list[LegacyPerson] = field(default_factory=list)
    # Names there, by user id.
    names: dict[str, str] = field(default_factory=dict)

    def describe(self, user_id: str | None) -> str:
        """Return a name for the report; empty if unknown."""
        return self.names.get(user_id or "", "")


def decide_people(snapshot: SourceSnapshot, current: CurrentState, report: ImportReport) -> PeopleToImport:
    """Decide who moves in, and report every account, link and profile that doesn't, with the reason."""
    movers = PeopleToImport(names=_names(snapshot))
    people = _without_disputed(_people(snapshot, report), report)
    for person in people:
        _decide(person, current, movers, report)
    _accounts_without_profile(snapshot, {person.discord_id for person in people}, report)
    return movers


def _decide(person: LegacyPerson, current: CurrentState, movers: PeopleToImport, report: ImportReport) -> None:
    account = current.accounts.get(person.discord_id)
    match account:
        case _ if person.guid in current.moved:
            outcome, reason = ImportOutcome.HERE, "moved in before"
        case _ if person.guid in current.released:
            outcome, reason = ImportOutcome.LEFT, "this profile was given up here since"
        case LegacyAccount(guid=guid) if guid == person.guid:
            outcome, reason = ImportOutcome.HERE, "linked here already"
        case LegacyAccount(guid=str()):
            outcome, reason = ImportOutcome.LEFT, "this Discord account has another profile here"
        case _ if person.guid in current.taken_profiles:
            outcome, reason = ImportOutcome.LEFT, "another user has this profile here"
        case LegacyAccount(has_open_claim=True):
            outcome, reason = ImportOutcome.LEFT, "a claim of theirs waits for an admin here"
        case _:
            outcome, reason = ImportOutcome.TAKEN, ""
    report.add(RowKind.LINKS, outcome, reason, who=person.label, what=person.guid)
    came_to = (outcome, reason) if account is None else (ImportOutcome.HERE, "")
    report.add(RowKind.ACCOUNTS, *came_to, who=plain_name(person.display_name), what=person.guid)
    _decide_profile(person, outcome, current, movers, report)
    if outcome is ImportOutcome.TAKEN or reason == "linked here already":
        movers.people[person.discord_id] = person
        if reason == "linked here already":
            movers.linked.add(person.discord_id)


def _decide_profile(
    person: LegacyPerson, outcome: ImportOutcome, current: CurrentState, movers: PeopleToImport, report: ImportReport
) -> None:
    reason = ""
    if person.guid in current.profiles:
        outcome, reason = ImportOutcome.HERE, "the profile is here and keeps its name"
    elif outcome is not ImportOutcome.TAKEN:
        outcome, reason = ImportOutcome.LEFT, "its link was left"
    else:
        movers.profiles.append(person)
    report.add(RowKind.PROFILES, outcome, reason, who=person.label, what=person.guid)


def _people(snapshot: SourceSnapshot, report: ImportReport) -> list[LegacyPerson]:
    """List the people with a profile there; of two link tables the newer one wins."""
    accounts = {row["user_id"]: row for row in snapshot["discord_accounts"]}
    users = {row["id"]: row for row in snapshot["website_users"]}
    newer = {row["user_id"]: row for row in snapshot["user_player_links"]}
    older = {row["discord_id"]: row for row in snapshot["player_links"]}
    found = []
    for discord_id in sorted({*newer, *older}, key=str):
        new, old = newer.get(discord_id), older.get(discord_id)
        who = _name_in(new or old or {})
        if new is not None and old is not None:
            is_same = _guid(new) == _guid(old)
            reason = (
                "stands in both link tables" if is_same else "user_player_links names another profile for this account"
            )
            report.add(RowKind.LINKS, ImportOutcome.LEFT, reason, who=who, what=_text(old["player_guid"]))
        why_not = _why_no_link(discord_id, new or old or {}, accounts.get(discord_id))
        if why_not:
            report.add(RowKind.LINKS, ImportOutcome.LEFT, why_not, who=who)
        else:
            found.append(_person(discord_id, new, old, accounts.get(discord_id, {}), users.get(discord_id, {})))
    return found


def _why_no_link(discord_id: str | None, link: SourceRow, account: SourceRow | None) -> str | None:
    """Explain why such a row is no link, or return None if it is one."""
    if discord_id is None or not is_discord_id(discord_id) or int(discord_id) == 0:
        return "no Discord id"
    if account is not None and account["discord_user_id"] != discord_id:
        return "two Discord ids that differ"
    return None if _text(link["player_guid"]) else "no guid that can be shown"


def _person(
    discord_id: str, new: SourceRow | None, old: SourceRow | None, account: SourceRow, user: SourceRow
) -> LegacyPerson:
    link = new or old or {}
    guid = _guid(link)
    of_same = old if old is not None and _guid(old) == guid else {}
    alias = of_same.get("display_name") if of_same.get("display_name_source") == "alias" else None
    known = (link.get("player_name"), of_same.get("player_name"), alias)
    names = list(dict.fromkeys(name for name in map(usable_name, map(_text, known)) if name)) or [
        usable_name(guid) or "unnamed"
    ]
    username = _text(account.get("username")) or _text((old or {}).get("discord_username")) or plain_name(names[0])
    display_name = _text(account.get("display_name")) or username
    return LegacyPerson(
        discord_id=discord_id,
        guid=guid,
        name=names[0],
        aliases=tuple(names[1:]),
        username=username[:NAME_LENGTH],
        display_name=display_name[:NAME_LENGTH],
        last_login_at=user.get("last_login_at") or user.get("last_login") or user.get("created_at"),
    )


def _without_disputed(people: list[LegacyPerson], report: ImportReport) -> list[LegacyPerson]:
    """Leave out profiles that two accounts claim, as only their owners know who is right."""
    owners = defaultdict(list)
    for person in people:
        owners[person.guid].append(person)
    for guid, claiming in owners.items():
        for person in claiming if len(claiming) > 1 else ():
            report.add(
                RowKind.LINKS,
                ImportOutcome.LEFT,
                "two Discord accounts have this profile there",
                who=plain_name(person.display_name),
                what=guid,
            )
    return [person for person in people if len(owners[person.guid]) == 1]


def _accounts_without_profile(snapshot: SourceSnapshot, moving: Collection[str], report: ImportReport) -> None:
    accounts = {row["user_id"]: row for row in snapshot["discord_accounts"]}
    for user_id, row in accounts.items():
        if user_id not in moving:
            name = _text(row["display_name"]) or _text(row["username"])
            report.add(
                RowKind.ACCOUNTS,
                ImportOutcome.LEFT,
                "no profile linked there; made anew at the first login",
                who=plain_name(name),
            )
    linked = {*accounts, *moving}
    gone = sum(row["id"] not in linked for row in snapshot["website_users"])
    if gone:
        report.add(RowKind.ACCOUNTS, ImportOutcome.LEFT, "no Discord account linked there any more", number=gone)


def _names(snapshot: SourceSnapshot) -> dict[str, str]:
    """Collect names there: the profile's, else the Discord account's, else the one beside a status."""
    found: dict[str, str] = {}
    for table, key, columns in (
        ("user_player_links", "user_id", ("player_name",)),
        ("player_links", "discord_id", ("player_name", "discord_username")),
        ("discord_accounts", "user_id", ("display_name", "username")),
        ("availability_entries", "user_id", ("user_name",)),
    ):
        for row in snapshot[table]:
            name = next((_text(row[column]) for column in columns if _text(row[column])), "")
            if name and row[key]:
                found.setdefault(row[key], plain_name(name))
    return found


def _name_in(link: SourceRow) -> str:
    return plain_name(_text(link.get("player_name")) or _text(link.get("discord_username")))


def _text(value: str | None) -> str:
    """Strip a text; empty if it contains control characters such as a line break."""
    text = (value or "").strip()
    return "" if has_control(text) else text


def _guid(link: SourceRow) -> str:
    return canonical_guid(_text(link["player_guid"]))
