package dev.tidestream.server.cli.tune;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;

import dev.tidestream.model.tuning.AdaptedTensor;
import dev.tidestream.model.tuning.EmbeddingRows;
import dev.tidestream.model.tuning.TuningModel;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.cli.admin.AdminFailedException;

/**
 * A server's admin channel: one update for each tensor. Values are absolute: rows as {@code rows}, a matrix with its adapter as
 * {@code replace}. A difference to the push before would be rounded to the tensor's format every time, and the roundings would add
 * up; an absolute value is rounded once, and what it gives does not depend on what was pushed before.
 *
 * <p>The versions of a push follow each other without a gap. If somebody else changes the weights in between, the server refuses the
 * next update with {@code stale_base_version}, and so does this.
 */
final class AdminVersions implements VersionSink {
    private static final String EMBEDDING = "token_embd.weight";

    private final AdminClient client;
    private final Path payload;
    private final String run = UUID.randomUUID().toString();
    private long version;

    private AdminVersions(AdminClient client, Path payload, long version) {
        this.client = client;
        this.payload = payload;
        this.version = version;
    }

    /** @param scratch a directory for payloads, one at a time */
    static AdminVersions connect(URI url, String token, Duration timeout, Path scratch)
            throws IOException, AdminFailedException, InterruptedException {
        AdminClient client = AdminClient.connect(url, token, timeout);
        boolean done = false;
        try {
            long version = client.call(new AdminRequest.WeightsStatus("status"), progress -> {}).weightsVersion();
            Path payload = Files.createTempFile(scratch, "payload", ".bin");
            done = true;
            return new AdminVersions(client, payload, version);
        } finally {
            if (!done) {
                client.close();
            }
        }
    }

    @Override
    public long push(int step, TuningModel model) throws IOException, AdminFailedException, InterruptedException {
        for (AdaptedTensor tensor : model.adapted()) {
            ByteBuffer bytes = littleEndian((long) tensor.rows() * tensor.columns() * Float.BYTES);
            bytes.asFloatBuffer().put(tensor.merged());
            update(step, tensor.name(), UpdateKind.REPLACE, List.of((long) tensor.rows(), (long) tensor.columns()), bytes);
        }
        if (model.rows().isPresent()) {
            EmbeddingRows rows = model.rows().get();
            int hidden = rows.values().columns();
            ByteBuffer bytes = littleEndian(rows.tokens().length * (Integer.BYTES + (long) hidden * Float.BYTES));
            for (int token : rows.tokens()) {
                bytes.putInt(token);
            }
            for (double value : rows.values().values()) {
                bytes.putFloat((float) value);
            }
            update(step, EMBEDDING, UpdateKind.ROWS, List.of((long) rows.tokens().length, (long) hidden), bytes.clear());
        }
        return version;
    }

    private static ByteBuffer littleEndian(long bytes) {
        return ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    @SuppressWarnings("ByteBufferBackingArray") // of littleEndian
    private void update(int step, String tensor, UpdateKind kind, List<Long> shape, ByteBuffer bytes)
            throws IOException, AdminFailedException, InterruptedException {
        Files.write(payload, bytes.array());
        AdminRequest.WeightsUpdate update = new AdminRequest.WeightsUpdate("update", "tune-%s-%d-%s".formatted(run, step, tensor), version,
                tensor, kind, shape, PayloadType.F32, sha256(bytes.array()), bytes.capacity(), OptionalInt.empty(), null);
        version = client.update(update, payload, progress -> {}).weightsVersion();
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    @Override
    public void close() {
        client.close();
        try {
            Files.deleteIfExists(payload);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + payload, e);
        }
    }
}
