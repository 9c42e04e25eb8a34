package dev.tidestream.server.cli.admin;

import java.io.IOException;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import dev.tidestream.protocol.admin.AdminRequest;

/** {@code admin load-adapter}: one more adapter. */
@Command(
        name = "load-adapter",
        description = "Serve an adapter (LoRA) that is in the server's directory of adapters.",
        footer = {
            "",
            "Examples:",
            "  tidestream admin load-adapter law adapters/law --token-file admin.token",
        })
final class AdminLoadAdapterCommand extends AdminCall {
    @Parameters(index = "0", paramLabel = "NAME", description = "What requests call it.")
    private String name = "";

    @Parameters(index = "1", paramLabel = "PATH", description = "A folder as PEFT saves it, or a GGUF file, relative to the server's --adapter-dir.")
    private String path = "";

    @Override
    AdminReport ask(AdminClient client, AdminProgress progress)
            throws IOException, AdminFailedException, InterruptedException {
        return AdminReport.of(client.call(new AdminRequest.AdapterLoad("load-adapter", name, path), progress));
    }
}
