package dev.tidestream.server.cli.admin;

import java.io.IOException;

import picocli.CommandLine.Command;

import dev.tidestream.protocol.admin.AdminRequest;

/** {@code admin history}: the versions of the weights. */
@Command(
        name = "history",
        description = "Show all committed versions of the weights.",
        footer = {
            "",
            "Examples:",
            "  tidestream admin history --token-file admin.token",
        })
final class AdminHistoryCommand extends AdminCall {
    @Override
    AdminReport ask(AdminClient client, AdminProgress progress)
            throws IOException, AdminFailedException, InterruptedException {
        return AdminReport.of(client.call(new AdminRequest.WeightsHistory("history"), progress));
    }
}
