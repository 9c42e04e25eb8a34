package dev.tidestream.server.cli.tune;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;

import dev.tidestream.model.tuning.AdaptedTensor;
import dev.tidestream.model.tuning.EmbeddingRows;
import dev.tidestream.model.tuning.TuningModel;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.cli.admin.AdminFailedException;
import dev.tidestream.server.safetensors.SafetensorsWriter;

/**
 * A server's admin channel: a push is one update of many tensors, which becomes one version, or none. Values are absolute: rows as
 * {@code rows}, a matrix with its adapter as {@code full}. A difference to the push before would be rounded to the tensor's format every
 * time, and the roundings would add up; an absolute value is rounded once, and what it gives does not depend on what was pushed before.
 *
 * <p>The versions of a run follow each other without a gap. If somebody else changes the weights in between, the server refuses the next
 * push with {@code stale_base_version}, and so does this.
 */
final class AdminVersions implements VersionSink {
    private static final String EMBEDDING = "token_embd.weight";
    private static final long ENOUGH_BYTES = 32 << 20; // for a part; one tensor may have more

    private final AdminClient client;
    private final Path part;
    private final String run = UUID.randomUUID().toString();
    private long version;

    private AdminVersions(AdminClient client, Path part, long version) {
        this.client = client;
        this.part = part;
        this.version = version;
    }

    /** @param scratch a directory for parts, one at a time */
    static AdminVersions connect(URI url, String token, Duration timeout, Path scratch)
            throws IOException, AdminFailedException, InterruptedException {
        AdminClient client = AdminClient.connect(url, token, timeout);
        boolean done = false;
        try {
            long version = client.call(new AdminRequest.WeightsStatus("status"), progress -> {}).weightsVersion();
            Path part = Files.createTempFile(scratch, "part", ".safetensors");
            done = true;
            return new AdminVersions(client, part, version);
        } finally {
            if (!done) {
                client.close();
            }
        }
    }

    @Override
    public long push(int step, TuningModel model) throws IOException, AdminFailedException, InterruptedException {
        String id = "tune-%s-%d".formatted(run, step);
        client.call(new AdminRequest.OpenUpdate("open", id, version, "tune step " + step, Optional.empty(), false), progress -> {});
        try {
            int parts = send(id, model);
            version = client.call(new AdminRequest.CommitUpdate("commit", id, OptionalInt.of(parts), Optional.empty()), progress -> {})
                    .weightsVersion();
            return version;
        } catch (AdminFailedException e) {
            client.call(new AdminRequest.AbortUpdate("abort", id), progress -> {});
            throw e;
        }
    }

    /** Sends all tensors that are trained, some in each part; how many parts. */
    private int send(String id, TuningModel model) throws IOException, AdminFailedException, InterruptedException {
        int parts = 0;
        SafetensorsWriter file = new SafetensorsWriter();
        long bytes = 0;
        for (AdaptedTensor tensor : model.adapted()) {
            file.add(tensor.name(), List.of((long) tensor.rows(), (long) tensor.columns()), tensor.merged());
            bytes += (long) tensor.rows() * tensor.columns() * Float.BYTES;
            if (bytes >= ENOUGH_BYTES) {
                send(id, parts++, file);
                file = new SafetensorsWriter();
                bytes = 0;
            }
        }
        if (model.rows().isPresent()) {
            EmbeddingRows rows = model.rows().get();
            bytes += rows.tokens().length;
            file.metadata("kind." + EMBEDDING, "rows")
                    .add(EMBEDDING + ".rows", List.of((long) rows.tokens().length), rows.tokens())
                    .add(EMBEDDING + ".values", AdapterFiles.shape(rows.values()), AdapterFiles.floats(rows.values().values()));
        }
        if (bytes > 0) {
            send(id, parts++, file);
        }
        return parts;
    }

    private void send(String id, int number, SafetensorsWriter file) throws IOException, AdminFailedException, InterruptedException {
        file.write(part);
        client.update(new AdminRequest.UpdatePart("part", id, number, sha256(part), Files.size(part), 0), part, progress -> {});
    }

    private static String sha256(Path file) throws IOException {
        try (DigestInputStream in = new DigestInputStream(Files.newInputStream(file), MessageDigest.getInstance("SHA-256"))) {
            in.transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(in.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    @Override
    public void close() {
        client.close();
        try {
            Files.deleteIfExists(part);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + part, e);
        }
    }
}
