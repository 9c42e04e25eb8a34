package dev.tidestream.server.cli.cluster;

import picocli.CommandLine.Command;

/** {@code cluster}: several nodes. */
@Command(
        name = "cluster",
        description = "Try a cluster on this machine, and look at the nodes of one.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            ClusterUpCommand.class,
            ClusterStatusCommand.class,
            ClusterKeeperCommands.Add.class,
            ClusterKeeperCommands.Remove.class,
        },
        footer = {
            "",
            "Examples:",
            "  tidestream cluster up --nodes 3",
            "  tidestream cluster status --url http://127.0.0.1:8080 --token-file admin.token",
            "  tidestream cluster add d=10.0.0.9:5720 --token-file admin.token",
            "",
            "Help on one of them: tidestream cluster COMMAND --help",
        })
public final class ClusterCommand {}
