"""The voice check of many, whose names want to do something: its summary stays whole, in a dry run too."""

from datetime import timedelta

from slomix.accounts import logins
from slomix.accounts import service as accounts
from slomix.availability.rules import Status
from slomix.contacts import service as contacts
from tests.moments import at
from tests.steps import call
from tests.workers.pump import pump
from tests.workers.stage import go, in_voice, summary
from tests.world import World


def crowd(world: World, names: list[str]) -> None:
    """So many more who are linked, opted in and looking, each with a name and a number behind it."""
    now = world.clock.now() - timedelta(days=1)
    with world.session() as session:
        accounts.import_players(session, [(f"guid-{n}", name, []) for n, name in enumerate(names)], now=now)
        for n in range(len(names)):
            who = str(300000000000000001 + n)
            user = logins.log_in(session, discord_id=who, username=f"crowd{n}", display_name=f"C{n}", now=now)
            world.players[f"crowd{n}"] = accounts.link_player(session, user, f"guid-{n}", now=now).id
            world.discord_ids[f"crowd{n}"] = who
            contacts.add_discord(session, world.players[f"crowd{n}"], now=now)
    for n in range(len(names)):
        world.prefers(f"crowd{n}")
        world.says(f"crowd{n}", Status.LOOKING)


HOSTILE = "@everyone <@&1> **`*_~|[](#)"


def test_sixty_are_missing_and_the_summary_stays_whole(world: World) -> None:
    crowd(world, [f"{HOSTILE}{n:02}" for n in range(60)])
    call(world)
    go(world, 21)
    world.clock.move_to(at(21, 0, 30))
    in_voice(world)
    world.game_server.on_it = [f"^3{HOSTILE}{n:02}" for n in range(60)]
    pump(world, most=400)
    first, awaited, seen, followed_up = summary(world)
    assert first == "Game night is on – 0 of 60 in voice at 21:00."
    assert followed_up == "follow-up 60/60"
    assert awaited.startswith("Waiting for: @\u200beveryone ")
    assert seen.startswith("On the server, not in voice: @\u200beveryone ")
    for line in (awaited, seen):
        shown = line.count("everyone")
        assert line.endswith(f" and {60 - shown} more")
    assert len("\n".join(summary(world))) < 2000
    assert not any("@everyone" in text or "<@&1>" in text for text in world.discord.texts)


def test_the_would_be_summary_of_a_dry_run_stays_whole_too(world: World) -> None:
    crowd(world, [f"{HOSTILE}{n:02}" for n in range(60)])
    world.clock.move_to(at(20, 40))
    in_voice(world)
    call(world, dry_run=True)
    pump(world, most=400)
    would_be = world.discord.texts[-1]
    assert would_be.startswith(
        "[Dry run, only you see this]\n"
        f"Game night is on – 0 of 60 in voice at <t:{at(21).timestamp():.0f}:t>.\nWaiting for: @\u200b"
    )
    assert len(would_be) < 2000
    assert "@everyone" not in would_be
