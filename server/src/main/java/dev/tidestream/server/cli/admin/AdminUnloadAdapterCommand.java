package dev.tidestream.server.cli.admin;

import java.io.IOException;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import dev.tidestream.protocol.admin.AdminRequest;

/** {@code admin unload-adapter}: one adapter less. */
@Command(
        name = "unload-adapter",
        description = "Serve an adapter no longer; streams that use it go on to their end.",
        footer = {
            "",
            "Examples:",
            "  tidestream admin unload-adapter law --token-file admin.token",
        })
final class AdminUnloadAdapterCommand extends AdminCall {
    @Parameters(index = "0", paramLabel = "NAME", description = "What requests call it.")
    private String name = "";

    @Override
    AdminReport ask(AdminClient client, AdminProgress progress)
            throws IOException, AdminFailedException, InterruptedException {
        return AdminReport.of(client.call(new AdminRequest.AdapterUnload("unload-adapter", name), progress));
    }
}
