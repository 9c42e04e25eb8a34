package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.directory.Sha256;

/** Small updates whose payload follows from their name. */
final class Updates {
    /** Stands for the hash of a model file. */
    static final String BASE = Sha256.of("base".getBytes(StandardCharsets.UTF_8));
    static final int BYTES = 16;

    private Updates() {}

    static String sha256(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return Sha256.of(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] payload(String updateId) {
        return Sha256.of(updateId.getBytes(StandardCharsets.UTF_8)).substring(0, BYTES).getBytes(StandardCharsets.UTF_8);
    }

    static UpdateSpec delta(String updateId, long baseVersion) {
        return spec(updateId, baseVersion, "token_embd.weight", UpdateKind.DELTA);
    }

    static UpdateSpec spec(String updateId, long baseVersion, String tensor, UpdateKind kind) {
        return new UpdateSpec(updateId, baseVersion, tensor, kind, List.of(2L, 2L), PayloadType.F32, 0,
                Sha256.of(payload(updateId)), BYTES);
    }

    static PayloadSpool received(UpdateLog log, UpdateSpec spec) throws AdminException {
        PayloadSpool spool = log.receive(spec);
        ByteBuffer payload = ByteBuffer.wrap(payload(spec.updateId()));
        spool.accept(payload.slice(0, 5));
        spool.accept(payload.slice(5, BYTES - 5));
        spool.finish();
        return spool;
    }

    /** The tensors of a version that are kept in its checkpoint; what is in them follows from its number. */
    static SequencedMap<String, WeightTensor> tensors(long version) {
        float[] values = new float[100_000];
        for (int i = 0; i < values.length; i++) {
            values[i] = version * 1000 + i % 997;
        }
        SequencedMap<String, WeightTensor> tensors = new LinkedHashMap<>();
        tensors.put("token_embd.weight", new WeightTensor.Vector(TensorFormat.F32, values));
        return tensors;
    }

    static VersionRecord.Updated commit(UpdateLog log, UpdateSpec spec) throws AdminException {
        PayloadSpool spool = received(log, spec);
        Optional<VersionRecord.Updated> repeated = log.admit(spec);
        return repeated.isPresent() ? repeated.get() : log.commit(spool);
    }
}
