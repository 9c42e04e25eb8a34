package dev.tidestream.server.cli.admin;

import java.io.IOException;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.cli.terminal.Check;

/** {@code admin rollback}: back to older weights. */
@Command(
        name = "rollback",
        description = "Make the weights of an older version current again, as a new version.",
        footer = {
            "",
            "Examples:",
            "  tidestream admin history --token-file admin.token",
            "  tidestream admin rollback 3 --token-file admin.token",
        })
final class AdminRollbackCommand extends AdminCall {
    private long version;

    @Parameters(index = "0", paramLabel = "VERSION", description = "A version that is in the history, at least 1.")
    void setVersion(long value) {
        version = Check.range(spec, "VERSION", value, 1, Long.MAX_VALUE);
    }

    @Override
    AdminReport ask(AdminClient client, AdminProgress progress)
            throws IOException, AdminFailedException, InterruptedException {
        return AdminReport.of(client.call(new AdminRequest.WeightsRollback("rollback", version), progress));
    }
}
