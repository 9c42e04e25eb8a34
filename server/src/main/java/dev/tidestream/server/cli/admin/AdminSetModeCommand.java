package dev.tidestream.server.cli.admin;

import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.OptimizationMode;

/** {@code admin set-mode}: another head mode. */
@Command(
        name = "set-mode",
        description = "Change how the head computes its logits, while streams run.",
        footer = {
            "",
            "Examples:",
            "  tidestream admin set-mode packed --token-file admin.token",
            "  tidestream admin set-mode cached-transpose --no-verify --token-file admin.token",
        })
final class AdminSetModeCommand extends AdminCall {
    @Parameters(index = "0", paramLabel = "MODE", converter = Modes.class, completionCandidates = Modes.class,
            description = "One of ${COMPLETION-CANDIDATES}.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private OptimizationMode mode;

    @Option(names = "--verify", negatable = true, defaultValue = "true", fallbackValue = "true",
            description = "Whether logits of the old and the new mode are compared first (default: --verify).")
    private boolean verify;

    @Override
    AdminReport ask(AdminClient client, AdminProgress progress)
            throws IOException, AdminFailedException, InterruptedException {
        return AdminReport.of(client.call(new AdminRequest.OptimizationSet("set-mode", mode, verify), progress));
    }

    /** Modes by the names that they have on the wire. */
    private static final class Modes implements CommandLine.ITypeConverter<OptimizationMode>, Iterable<String> {
        @Override
        public OptimizationMode convert(String text) {
            return Arrays.stream(OptimizationMode.values())
                    .filter(mode -> mode.wireName().equalsIgnoreCase(text))
                    .findFirst()
                    .orElseThrow(() -> new CommandLine.TypeConversionException(
                            "'%s' is no mode: one of %s".formatted(text, String.join(", ", this))));
        }

        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(OptimizationMode.values()).map(OptimizationMode::wireName).iterator();
        }
    }
}
