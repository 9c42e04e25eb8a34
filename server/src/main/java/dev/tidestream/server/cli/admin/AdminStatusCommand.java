package dev.tidestream.server.cli.admin;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

import picocli.CommandLine.Command;

import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;

/** {@code admin status}: head mode and weights version. */
@Command(
        name = "status",
        description = "Show how the head computes and which weights are served.",
        footer = {
            "",
            "Examples:",
            "  tidestream admin status --token-file admin.token",
            "  TIDESTREAM_ADMIN_TOKEN=... tidestream admin status --url wss://models.example.org --json",
        })
final class AdminStatusCommand extends AdminCall {
    @Override
    AdminReport ask(AdminClient client, AdminProgress progress)
            throws IOException, AdminFailedException, InterruptedException {
        Map<String, AdminReply.Ack> acks = new LinkedHashMap<>();
        acks.put("optimization", client.call(new AdminRequest.OptimizationStatus("optimization"), progress));
        acks.put("weights", client.call(new AdminRequest.WeightsStatus("weights"), progress));
        return AdminReport.of(acks);
    }
}
