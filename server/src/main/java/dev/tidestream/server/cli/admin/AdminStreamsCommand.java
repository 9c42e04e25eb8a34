package dev.tidestream.server.cli.admin;

import java.io.IOException;

import picocli.CommandLine.Command;

import dev.tidestream.protocol.admin.AdminRequest;

/** {@code admin streams}: what the scheduler has. */
@Command(
        name = "streams",
        description = "Show the streams of a running server: state, demand, position, version of the weights, adapter.",
        footer = {
            "",
            "Examples:",
            "  tidestream admin streams --token-file admin.token",
        })
final class AdminStreamsCommand extends AdminCall {
    @Override
    AdminReport ask(AdminClient client, AdminProgress progress)
            throws IOException, AdminFailedException, InterruptedException {
        return AdminReport.of(client.call(new AdminRequest.Streams("streams"), progress));
    }
}
