package dev.tidestream.server.cli.admin;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

import picocli.CommandLine.Command;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.cli.terminal.CliException;

/** {@code admin update}: other values for a tensor. */
@Command(name = "update") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class AdminUpdateCommand extends AdminUpdateOptions {
    private static final int READ_BYTES = 1 << 20;

    private long byteLength;
    private String sha256 = "";

    @Override
    void prepare(AdminProgress progress) {
        byteLength = checkedLength();
        Path payload = payload();
        sha256 = payload == null ? sha256() : hash(payload, progress);
    }

    /** Read twice, here and when it is sent, so that it need not fit in memory. */
    private String hash(Path payload, AdminProgress progress) {
        try (FileChannel file = FileChannel.open(payload)) {
            if (file.size() != byteLength) {
                throw wrong("%s has not the length that kind, shape and dtype make: bytes=%d, expected=%d"
                        .formatted(payload, file.size(), byteLength));
            }
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES);
            for (long done = 0; file.read(buffer.clear()) >= 0; done += buffer.limit()) {
                digest.update(buffer.flip());
                progress.report("hashing", done, byteLength);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw new CliException(payload + ": " + Reasons.of(e), e);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    @Override
    AdminReport ask(AdminClient client, AdminProgress progress)
            throws IOException, AdminFailedException, InterruptedException {
        long base = baseVersion().isPresent()
                ? baseVersion().getAsLong()
                : client.call(new AdminRequest.WeightsStatus("status"), progress).weightsVersion();
        Path payload = payload();
        AdminRequest.WeightsUpdate update = new AdminRequest.WeightsUpdate(
                "update", updateId, base, tensor, kind, shape, dtype, sha256, byteLength, rank(), path());
        AdminReply.Ack ack = payload == null ? client.call(update, progress) : client.update(update, payload, progress);
        return AdminReport.of(ack);
    }
}
