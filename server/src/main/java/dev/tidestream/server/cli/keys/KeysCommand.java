package dev.tidestream.server.cli.keys;

import picocli.CommandLine.Command;

/** {@code keys}: the commands that write the file of API keys. */
@Command(
        name = "keys",
        description = {
            "Make, list and remove API keys.",
            "The file has names, hashes and limits, no keys; a running server reads it again when it has changed."
        },
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            KeysAddCommand.class,
            KeysListCommand.class,
            KeysRemoveCommand.class,
        },
        footer = {
            "",
            "Examples:",
            "  tidestream keys add alice",
            "  tidestream keys add build-farm --requests-per-minute 60 --tokens-per-minute 100000 --streams 4",
            "  tidestream keys list",
            "  tidestream keys remove alice",
            "  tidestream serve --host 0.0.0.0 --api-keys api-keys",
            "",
            "Help on one of them: tidestream keys COMMAND --help",
        })
public final class KeysCommand {}
