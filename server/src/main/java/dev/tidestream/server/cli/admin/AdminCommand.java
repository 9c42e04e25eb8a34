package dev.tidestream.server.cli.admin;

import picocli.CommandLine.Command;

/** {@code admin}: the commands that talk to the admin channel of a running server. */
@Command(
        name = "admin",
        description = "Look at and change a running server.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            AdminStatusCommand.class,
            AdminStatsCommand.class,
            AdminStreamsCommand.class,
            AdminSetModeCommand.class,
            AdminUpdateCommand.class,
            AdminRollbackCommand.class,
            AdminHistoryCommand.class,
            AdminAdapterCommands.Show.class,
            AdminAdapterCommands.Load.class,
            AdminAdapterCommands.Unload.class,
        },
        footer = {
            "",
            "Examples:",
            "  tidestream admin status --token-file admin.token",
            "  tidestream admin set-mode cached-transpose --url ws://10.0.0.5:8080 --token-file admin.token",
            "",
            "Help on one of them: tidestream admin COMMAND --help",
        })
public final class AdminCommand {}
