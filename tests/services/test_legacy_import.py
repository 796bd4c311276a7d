"""Moving in from the earlier site: who and what comes along, what stays there, and that nothing of it sends."""

from datetime import date, time, timedelta

from sqlalchemy import select

from slomix.accounts.models import LinkEvent, Player, User
from slomix.accounts.rules import LinkAction
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.contacts.models import Contact, StoredPreferences
from slomix.jobs.models import Job
from slomix.legacy_import.report import ImportOutcome, RowKind
from tests.moments import TODAY, at
from tests.world import World

from .earlier import PEOPLE, SECRETS, Earlier, came_to, everything, full, look, move, there

__all__ = ["full", "there"]

TAKEN, CHANGED, HERE, LEFT = ImportOutcome


def who_is_who(world: World) -> dict[str, str | None]:
    names = {discord_id: name for name, discord_id in (PEOPLE | world.discord_ids).items()}
    with world.session() as session:
        users = session.execute(select(User.discord_id, Player.guid).outerjoin(Player, Player.id == User.player_id))
        return {names[row.discord_id]: row.guid for row in users}


def player(world: World, guid: str) -> Player:
    with world.session() as session:
        return session.scalars(select(Player).where(Player.guid == guid)).one()


def wishes(world: World, guid: str) -> StoredPreferences | None:
    with world.session() as session:
        return session.get(StoredPreferences, player(world, guid).id)


def statuses(world: World, guid: str) -> dict[date, Status]:
    with world.session() as session:
        rows = session.scalars(select(Entry).where(Entry.player_id == player(world, guid).id))
        return {row.day: row.status for row in rows}


def test_a_dry_run_writes_nothing_and_says_what_an_apply_does(world: World, full: Earlier) -> None:
    before = everything(world)
    report = look(world, full)
    assert report.would_write
    assert everything(world) == before
    assert report.as_json(is_applied=False) == move(world, full).as_json(is_applied=False)
    assert everything(world) != before


def test_a_second_time_nothing_changes_and_it_says_so(world: World, full: Earlier) -> None:
    move(world, full)
    before = everything(world)
    world.clock.forward(timedelta(hours=1))
    again = move(world, full)
    assert not again.would_write, [one for one in again.findings if one.outcome in {TAKEN, CHANGED}]
    assert everything(world) == before


def test_links_come_along_one_account_one_profile(world: World, full: Earlier) -> None:
    before = who_is_who(world)
    report = move(world, full)
    new = {name: guid for name, guid in who_is_who(world).items() if name not in before}
    assert new == {name: f"guid-{name}" for name in ("nina", "otto", "pia", "wim", "xena", "yuri", "zoe")} | {
        "sven": "guid-spare"
    }
    assert who_is_who(world) == before | new | {"charlie": "guid-charlie"}
    assert came_to(report, RowKind.LINKS) == {
        (TAKEN, ""): 9,
        (HERE, "linked here already"): 2,  # Alice and Goran
        (LEFT, "stands in both link tables"): 1,
        (LEFT, "user_player_links names another profile for this account"): 1,
        (LEFT, "two Discord accounts have this profile there"): 2,
        (LEFT, "another user has this profile here"): 1,
        (LEFT, "this Discord account has another profile here"): 1,
        (LEFT, "no guid that can be shown"): 1,
    }
    left = {one.reason: one.number for one in report.findings if one.kind is RowKind.ACCOUNTS and one.outcome is LEFT}
    assert left["no Discord account linked there any more"] == 1, "Vera took her account away there (W10)"


def test_a_profile_that_is_here_keeps_its_name(world: World, full: Earlier) -> None:
    move(world, full)
    assert player(world, "guid-spare").name == "Spare"
    nina, otto = player(world, "guid-nina"), player(world, "guid-otto")
    assert (nina.name, nina.aliases) == ("^2Nina", ["Nina_old", "NiNa"])
    assert (otto.name, otto.aliases) == ("Otto", []), "a name of one's own is nobody's proof of who plays"
    with world.session() as session:
        guids = set(session.scalars(select(Player.guid)))
    assert not guids & {"guid-rosa", "guid-pia-before", "guid-erik-of-another-time", "", " "}


def test_the_log_says_who_moved_in_and_that_an_operator_did_it(world: World, full: Earlier) -> None:
    move(world, full)
    with world.session() as session:
        theirs = select(User.id).where(User.discord_id == PEOPLE["nina"])
        log = session.scalars(select(LinkEvent).where(LinkEvent.user_id.in_(theirs)).order_by(LinkEvent.id))
        assert [(one.action, one.actor, one.details) for one in log] == [
            (action, "command line", {"guid": "guid-nina"})
            for action in (LinkAction.PLAYER_LINKED, LinkAction.MOVED_IN)
        ]
        nina = session.scalars(select(User).where(User.discord_id == PEOPLE["nina"])).one()
    assert (nina.discord_username, nina.display_name) == ("nina", "Nina")
    assert nina.last_login_at == at(20, day=date(2026, 10, 1))


def test_only_what_was_chosen_is_switched_on(world: World, full: Earlier) -> None:
    world.prefers("alice", called=False)
    report = move(world, full)
    nina = wishes(world, "guid-nina")
    assert nina is not None
    assert (nina.allow_promotions, nina.quiet_start, nina.quiet_end) == (True, time(22), time(8))
    assert nina.timezone == "Europe/Vienna"
    with world.session() as session:
        moved = [player(world, f"guid-{name}").id for name in ("nina", "pia", "wim", "xena", "yuri")]
        kept = list(session.scalars(select(StoredPreferences).where(StoredPreferences.player_id.in_(moved))))
    for one in kept:
        assert (one.session_ready, one.daily_reminder, one.more_needed, one.sound_enabled) == (False,) * 4
        assert one.looking_threshold == 0
    allowed = {one.player_id for one in kept if one.allow_promotions}
    assert allowed == {player(world, "guid-nina").id, player(world, "guid-yuri").id}
    for guid in ("guid-otto", "guid-zoe"):
        assert wishes(world, guid) is None, "nobody asked them, so they are asked at their first visit"
    alice = wishes(world, "guid-alice")
    assert alice is not None
    assert alice.allow_promotions is False, "what was decided here stays"
    assert came_to(report, RowKind.REMINDERS) == {(LEFT, "was on by default, so nobody asked for it"): 4}
    assert came_to(report, RowKind.SOUNDS) == {
        (LEFT, "was on by default, so nobody asked for it"): 3,
        (LEFT, "off there, off here"): 1,
    }
    assert came_to(report, RowKind.THRESHOLDS) == {(LEFT, "it never did anything there; to be chosen here"): 1}


def test_preferences_that_are_none_of_ours_are_changed_and_reported(world: World, full: Earlier) -> None:
    report = move(world, full)
    yuri, pia = wishes(world, "guid-yuri"), wishes(world, "guid-pia")
    assert yuri is not None
    assert pia is not None
    assert (yuri.timezone, yuri.quiet_start, yuri.preferred_channel) == ("Europe/Ljubljana", None, "telegram")
    assert (yuri.sound_cooldown_seconds, pia.sound_cooldown_seconds) == (480, 900)
    changed = {
        one.who: one.reason for one in report.findings if (one.kind, one.outcome) == (RowKind.PREFERENCES, CHANGED)
    }
    zone = "no time zone of that name: {zone} instead".format(zone="Europe/Ljubljana")
    assert changed == {
        "Wim": ("quiet from a time to the same time was quiet all day: campaigns stay off until they choose"),
        "Xena": "Discord was switched off and no other address is proved here: campaigns stay off",
        "Yuri": f"quiet hours that cannot be read held nowhere: none instead; {zone}; "
        "a silence outside 30 to 3600 seconds: 480 instead",
    }


def test_no_address_but_discords_comes_along_and_none_is_in_the_report(world: World, full: Earlier) -> None:
    report = move(world, full)
    with world.session() as session:
        contacts = session.scalars(select(Contact).where(Contact.player_id == player(world, "guid-nina").id)).all()
    assert [one.channel for one in contacts] == ["discord"]
    said = repr(report.as_json(is_applied=True))
    assert [secret for secret in (*SECRETS, *PEOPLE.values()) if secret in said] == []
    assert came_to(report, RowKind.ADDRESSES) == {(LEFT, "its owner is not certain; to be linked again"): 1}
    assert came_to(report, RowKind.HANDLES) == {
        (LEFT, "never proved, and sealed with a key of theirs; to be linked again"): 1
    }
    assert came_to(report, RowKind.RIGHTS) == {(LEFT, "given anew: slomix roles grant"): 1}


def test_statuses_come_along_with_their_place_in_the_queue(world: World, full: Earlier) -> None:
    world.says("alice", Status.LOOKING)
    report = move(world, full)
    days = {days: TODAY + timedelta(days=days) for days in (-30, 0, 1, 90)}
    assert statuses(world, "guid-nina") == {
        days[-30]: Status.AVAILABLE,
        days[0]: Status.LOOKING,
        days[1]: Status.MAYBE,
        days[90]: Status.NOT_PLAYING,
    }
    assert statuses(world, "guid-alice") == {TODAY: Status.LOOKING}, "what was said here stays"
    assert statuses(world, "guid-goran") == {TODAY: Status.LOOKING}
    with world.session() as session:
        query = select(Player.guid, Entry.looking_since).join(Player, Player.id == Entry.player_id)
        queue = session.execute(
            query.where(Entry.day == TODAY, Entry.looking_since.is_not(None)).order_by(Entry.looking_since, Player.guid)
        )
        assert [(row.guid, row.looking_since) for row in queue] == [
            ("guid-otto", at(17)),
            ("guid-goran", at(18)),
            ("guid-nina", at(18)),
            ("guid-alice", at(20, 30)),
        ]
        pia = session.scalars(select(Entry).where(Entry.player_id == player(world, "guid-pia").id)).one()
    assert pia.committed_since == world.clock.now(), "nobody says anything tomorrow"
    assert came_to(report, RowKind.STATUSES) == {
        (TAKEN, ""): 7,
        (HERE, "a status for that day is here"): 1,
        (LEFT, f"more than {90} days ahead"): 1,
        (LEFT, "no day that can be shown"): 1,
        (LEFT, "not a person who moves in now"): 3,
    }


def test_campaigns_stay_there_each_with_what_it_came_to(world: World, full: Earlier) -> None:
    report = move(world, full)
    assert came_to(report, RowKind.CAMPAIGNS) == {
        (
            LEFT,
            (
                "written before its messages were known to have arrived; ours is counted from the "
                "ledger, and would claim too much"
            ),
        ): 2
    }
    shown = [one.what for one in report.findings if one.kind is RowKind.CAMPAIGNS]
    assert shown[1] == (
        "2026-11-13: followup_sent, 3 asked, send_reminder_2045 sent, send_start_2100 sent, voice_check_2100 sent, "
        "1 tries failed, 1 tries sent"
    )
    assert report.warnings == [
        (
            "The earlier site has {number} from today on that may still send. Stop its bot "
            "before an evening is called together here, or people hear of it twice."
        ).format(number="1 campaign")
    ]
    assert everything(world)["availability_promotion_campaigns"] == []
    with world.session() as session:
        assert list(session.scalars(select(Job.kind))) == ["check_members"], "of theirs nothing is due"
