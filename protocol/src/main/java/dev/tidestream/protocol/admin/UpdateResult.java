package dev.tidestream.protocol.admin;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SequencedMap;

/** What a request about an update of many tensors has led to; names on the wire: {@link #fields}. */
public sealed interface UpdateResult extends AdminResult {

    /**
     * Of {@code weights.open_update}, {@code weights.part}, {@code weights.abort_update} and {@code weights.update_state}.
     *
     * @param state {@code open}, {@code committed} or {@code aborted}
     * @param version that it has become, if it is committed
     * @param parts that are there
     * @param begun parts of which some bytes have come
     */
    record State(
            String updateId, String state, long baseVersion, String label, OptionalLong version, List<Part> parts, List<Begun> begun)
            implements UpdateResult {
        public State {
            parts = List.copyOf(parts);
            begun = List.copyOf(begun);
        }
    }

    /** A part that is there. */
    record Part(long number, String sha256, long bytes) {}

    /**
     * A part that has not come to its end.
     *
     * @param bytes that it will have
     * @param received bytes that are there: where to go on
     */
    record Begun(long number, String sha256, long bytes, long received) {}

    /**
     * Of {@code weights.commit_update}.
     *
     * @param version that it has made
     * @param bytes of the payload that is kept
     * @param changed rows with at least one other bit, by tensor
     * @param repeated it was committed before
     * @param held whether it waits to be published
     */
    record Committed(
            String updateId, long version, String label, long bytes, SequencedMap<String, Long> changed, boolean repeated, boolean held)
            implements UpdateResult {}

    /** By wire name. */
    default Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        switch (this) {
            case State s -> {
                fields.put("update_id", s.updateId);
                fields.put("state", s.state);
                fields.put("base_version", s.baseVersion);
                fields.put("label", s.label);
                s.version.ifPresent(version -> fields.put("version", version));
                fields.put("parts", s.parts.stream().map(part -> (Object) Map.of(
                        "part", part.number, "sha256", part.sha256, "bytes", part.bytes)).toList());
                fields.put("begun", s.begun.stream().map(part -> (Object) Map.of(
                        "part", part.number, "sha256", part.sha256, "bytes", part.bytes, "received", part.received)).toList());
            }
            case Committed c -> {
                fields.put("update_id", c.updateId);
                fields.put("version", c.version);
                fields.put("label", c.label);
                fields.put("bytes", c.bytes);
                fields.put("changed", new LinkedHashMap<>(c.changed));
                fields.put("repeated", c.repeated);
                fields.put("held", c.held);
            }
        }
        return fields;
    }
}
