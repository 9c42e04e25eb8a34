package dev.tidestream.server.admin.build;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.admin.store.directory.Sha256;

/**
 * SHA-256 of what has come of a version: over a line for each tensor that it may have changed, in order of their names: name, space,
 * {@link TensorDigest}, line feed. A tensor that the version has not (an output head that is tied again) has {@code absent} instead.
 */
public final class ResultDigest {
    private ResultDigest() {}

    /**
     * Of a model.
     *
     * @param tensors that may have changed
     * @param team whose breaks are kept, if it has one thread
     */
    public static String of(LoadedModel model, Set<String> tensors, WorkerTeam team) {
        SortedMap<String, String> digests = new TreeMap<>();
        for (String name : tensors) {
            Optional<WeightTensor> tensor = model.tensor(name);
            digests.put(name, tensor.isPresent() ? TensorDigest.of(tensor.get(), team) : "absent");
        }
        return of(digests);
    }

    /** Of digests by name. */
    public static String of(Map<String, String> digests) {
        StringBuilder lines = new StringBuilder();
        new TreeMap<>(digests).forEach((name, digest) -> lines.append(name).append(' ').append(digest).append('\n'));
        return Sha256.of(lines.toString().getBytes(StandardCharsets.UTF_8));
    }
}
