package dev.tidestream.server.cli.admin;

import java.io.IOException;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import dev.tidestream.protocol.admin.AdminRequest;

/** The commands about adapters: which are served, one more, one less. */
final class AdminAdapterCommands {
    private AdminAdapterCommands() {}

    /** {@code admin adapters}: what is served beside the model. */
    @Command(
            name = "adapters",
            description = "Show the adapters of a running server.",
            footer = {
                "",
                "Examples:",
                "  tidestream admin adapters --token-file admin.token",
            })
    static final class Show extends AdminCall {
        @Override
        AdminReport ask(AdminClient client, AdminProgress progress)
                throws IOException, AdminFailedException, InterruptedException {
            return AdminReport.of(client.call(new AdminRequest.AdapterStatus("adapters"), progress));
        }
    }

    /** {@code admin load-adapter}: one more adapter. */
    @Command(
            name = "load-adapter",
            description = "Serve an adapter (LoRA) that is in the server's directory of adapters.",
            footer = {
                "",
                "Examples:",
                "  tidestream admin load-adapter law adapters/law --token-file admin.token",
            })
    static final class Load extends AdminCall {
        @Parameters(index = "0", paramLabel = "NAME", description = "What requests call it.")
        private String name = "";

        @Parameters(index = "1", paramLabel = "PATH",
                description = "A folder as PEFT saves it, or a GGUF file, relative to the server's --adapter-dir.")
        private String path = "";

        @Override
        AdminReport ask(AdminClient client, AdminProgress progress)
                throws IOException, AdminFailedException, InterruptedException {
            return AdminReport.of(client.call(new AdminRequest.AdapterLoad("load-adapter", name, path), progress));
        }
    }

    /** {@code admin unload-adapter}: one adapter less. */
    @Command(
            name = "unload-adapter",
            description = "Serve an adapter no longer; streams that use it go on to their end.",
            footer = {
                "",
                "Examples:",
                "  tidestream admin unload-adapter law --token-file admin.token",
            })
    static final class Unload extends AdminCall {
        @Parameters(index = "0", paramLabel = "NAME", description = "What requests call it.")
        private String name = "";

        @Override
        AdminReport ask(AdminClient client, AdminProgress progress)
                throws IOException, AdminFailedException, InterruptedException {
            return AdminReport.of(client.call(new AdminRequest.AdapterUnload("unload-adapter", name), progress));
        }
    }
}
