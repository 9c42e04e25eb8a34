package dev.tidestream.server.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;

/** Makes updates of a model's embedding (V, H) out of random numbers, and sends them as a session would. */
public final class UpdateMaker {
    private static final String EMBEDDING = "token_embd.weight";
    private static final int CHUNK_BYTES = 1 << 20;
    private static final float SMALL = 0.01f;

    private final Blueprint blueprint;
    private final int vocabulary;
    private final int hidden;
    private final SplittableRandom random;
    private int made;

    /** @param blueprint of the model whose embedding is changed */
    public UpdateMaker(Blueprint blueprint, SplittableRandom random) {
        this.blueprint = blueprint;
        this.vocabulary = blueprint.vocabularySize();
        this.hidden = blueprint.hiddenSize();
        this.random = random;
    }

    /** An update and its payload. */
    public record Update(AdminRequest.WeightsUpdate request, ByteBuffer payload) {

        /** Returns when it is published. */
        public void applyTo(AdminDesk desk) throws AdminException {
            AdminDesk.ProgressSink nobody = (stage, done, of) -> {};
            if (!(desk.begin(request, nobody) instanceof AdminDesk.UpdateStart.Receiving(AdminDesk.Upload upload))) {
                throw new IllegalStateException("an update of a new name is a repetition: " + request.updateId());
            }
            try (upload) {
                for (int at = 0; at < payload.limit(); at += CHUNK_BYTES) {
                    upload.accept(payload.slice(at, Math.min(CHUNK_BYTES, payload.limit() - at)));
                }
                upload.finish(nobody);
            }
        }
    }

    /** Of the payload of so many rows. */
    public static long rowsBytes(Blueprint blueprint, int count) {
        return count * (Integer.BYTES + (long) blueprint.hiddenSize() * Float.BYTES);
    }

    /** Of the payload of this rank. */
    public static long lowRankBytes(Blueprint blueprint, int rank) {
        return (long) rank * Float.BYTES * (blueprint.vocabularySize() + (long) blueprint.hiddenSize());
    }

    /** Some rows, the first of them a random one, replaced by others. */
    public Update rows(long baseVersion, int count) {
        ByteBuffer payload = buffer(rowsBytes(blueprint, count));
        int first = random.nextInt(vocabulary);
        for (int i = 0; i < count; i++) {
            payload.putInt((int) ((first + (long) i) % vocabulary));
        }
        fill(payload);
        return update(baseVersion, UpdateKind.ROWS, List.of((long) count, (long) hidden), OptionalInt.empty(), payload);
    }

    /** A (V, rank) and B (rank, H), whose product is added. */
    public Update lowRank(long baseVersion, int rank) {
        ByteBuffer payload = buffer(lowRankBytes(blueprint, rank));
        fill(payload);
        return update(baseVersion, UpdateKind.LOW_RANK, List.of((long) vocabulary, (long) hidden), OptionalInt.of(rank), payload);
    }

    private static ByteBuffer buffer(long bytes) {
        return ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void fill(ByteBuffer payload) {
        while (payload.hasRemaining()) {
            payload.putFloat((float) random.nextGaussian() * SMALL);
        }
        payload.flip();
    }

    private Update update(long baseVersion, UpdateKind kind, List<Long> shape, OptionalInt rank, ByteBuffer payload) {
        return new Update(new AdminRequest.WeightsUpdate("bench", "bench-" + made++, baseVersion, EMBEDDING, kind, shape,
                PayloadType.F32, sha256(payload), payload.limit(), rank, null), payload);
    }

    private static String sha256(ByteBuffer payload) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(payload.duplicate());
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
