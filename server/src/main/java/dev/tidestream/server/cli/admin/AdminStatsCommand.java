package dev.tidestream.server.cli.admin;

import java.io.IOException;

import picocli.CommandLine.Command;

import dev.tidestream.protocol.admin.AdminRequest;

/** {@code admin stats}: what the server measures. */
@Command(
        name = "stats",
        description = "Show the numbers of a running server: streams, memory, head timings.",
        footer = {
            "",
            "Examples:",
            "  tidestream admin stats --token-file admin.token",
            "  tidestream admin stats --token-file admin.token --json | jq .",
        })
final class AdminStatsCommand extends AdminCall {
    @Override
    AdminReport ask(AdminClient client, AdminProgress progress)
            throws IOException, AdminFailedException, InterruptedException {
        return AdminReport.of(client.call(new AdminRequest.Stats("stats"), progress));
    }
}
