package dev.tidestream.server.cli.admin;

import java.io.IOException;

import picocli.CommandLine.Command;

import dev.tidestream.protocol.admin.AdminRequest;

/** {@code admin adapters}: what is served beside the model. */
@Command(
        name = "adapters",
        description = "Show the adapters of a running server.",
        footer = {
            "",
            "Examples:",
            "  tidestream admin adapters --token-file admin.token",
        })
final class AdminAdaptersCommand extends AdminCall {
    @Override
    AdminReport ask(AdminClient client, AdminProgress progress)
            throws IOException, AdminFailedException, InterruptedException {
        return AdminReport.of(client.call(new AdminRequest.AdapterStatus("adapters"), progress));
    }
}
