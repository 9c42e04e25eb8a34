package dev.tidestream.server.admin.store;

import java.util.List;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.PayloadType;

/** A change of a transaction as it stands in the {@link Manifest}. */
record ManifestChange(
        @Nullable String tensor,
        @Nullable String kind,
        @Nullable List<Long> shape,
        @Nullable String dtype,
        @Nullable Integer rank,
        @Nullable Long byteLength,
        @Nullable Long changedRows,
        @Nullable String resultSha256) {

    static ManifestChange of(TensorChange change) {
        return new ManifestChange(change.tensor(), change.kind().wireName(), change.shape(), change.dtype().wireName(), change.rank(),
                change.byteLength(), change.result().map(TensorChange.Result::changedRows).orElse(null),
                change.result().map(TensorChange.Result::sha256).orElse(null));
    }

    /**
     * Reads it.
     *
     * @param offsetBytes where its stretch of the payload begins
     * @throws IllegalArgumentException if something is missing, or its length is not what shape and dtype make
     */
    TensorChange toChange(long offsetBytes) {
        ChangeKind read = ChangeKind.valueOf(Manifest.upper(Manifest.present("kind", kind)));
        List<Long> dimensions = Manifest.checked(Manifest.present("shape", shape));
        PayloadType type = PayloadType.valueOf(Manifest.upper(Manifest.present("dtype", dtype)));
        int factors = Manifest.present("rank", rank);
        long bytes = Manifest.present("byte_length", byteLength);
        Manifest.require(!dimensions.isEmpty() && bytes == read.payloadBytes(dimensions, type, factors),
                "byte_length does not fit: kind=%s, shape=%s, byte_length=%d".formatted(kind, dimensions, bytes));
        Optional<TensorChange.Result> result = changedRows == null || resultSha256 == null
                ? Optional.empty() : Optional.of(new TensorChange.Result(changedRows, resultSha256));
        return new TensorChange(Manifest.present("tensor", tensor), read, dimensions, type, factors, offsetBytes, bytes, result);
    }
}
