package dev.tidestream.server.cli.weights;

import picocli.CommandLine.Command;

/** {@code weights}: updates of many tensors and versions of a running server. */
@Command(
        name = "weights",
        description = "Push weights to a running server, and look after their versions.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            WeightsPushCommand.class,
            WeightsListCommand.class,
            WeightsShowCommand.class,
            WeightsVerifyCommand.class,
            WeightsRollbackCommand.class,
            WeightsPublishCommand.class,
            WeightsCanaryCommand.class,
            WeightsShadowCommand.class,
        },
        footer = {
            "",
            "Examples:",
            "  tidestream weights push step-42.safetensors --label step-42 --token-file admin.token",
            "  tidestream weights list --token-file admin.token",
            "  tidestream weights rollback 7 --token-file admin.token",
            "  tidestream weights canary 8 --share 0.2 --token-file admin.token",
            "",
            "Help on one of them: tidestream weights COMMAND --help",
        })
public final class WeightsCommand {}
