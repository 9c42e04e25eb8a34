package dev.tidestream.protocol.admin;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;

/** What a server answers: {@code progress}*, then one {@code ack} or {@code failed} per request. */
public sealed interface AdminReply {

    /** The request that this answers; null if a failed frame could not be attributed. */
    @Nullable
    String ref();

    /**
     * The request is done.
     *
     * @param weightsVersion the current version now
     * @param details further fields of the frame, by wire name: strings, booleans, integers, finite numbers, lists and maps
     *     of these, at most eight levels, the frame included. Kept as String, Boolean, Long, Double, List and Map, unmodifiable
     */
    record Ack(String ref, long weightsVersion, Map<String, Object> details) implements AdminReply {
        static final Set<String> RESERVED = Set.of("type", "ref", "weights_version");
        private static final int MAX_LEVELS = 8;

        public Ack {
            for (String name : details.keySet()) {
                if (RESERVED.contains(name)) {
                    throw new IllegalArgumentException("reserved field: " + name);
                }
            }
            details = map(details, MAX_LEVELS);
        }

        private static Map<String, Object> map(Map<?, ?> values, int levels) {
            Map<String, Object> copy = LinkedHashMap.newLinkedHashMap(values.size());
            values.forEach((name, value) -> copy.put((String) name, value(value, levels - 1)));
            return Collections.unmodifiableMap(copy);
        }

        private static Object value(@Nullable Object value, int levels) {
            return switch (value) {
                case String s -> s;
                case Boolean b -> b;
                case Integer i -> (long) i;
                case Long l -> l;
                case Float f when Float.isFinite(f) -> (double) f;
                case Double d when Double.isFinite(d) -> d;
                case List<?> list when levels > 0 -> list.stream().map(v -> value(v, levels - 1)).toList();
                case Map<?, ?> map when levels > 0 -> map(map, levels);
                case null, default -> throw new IllegalArgumentException("not a value of a frame: " + value);
            };
        }
    }

    /**
     * The request was refused and has changed nothing.
     *
     * @param message for people: names what is wrong, with the values
     */
    record Failed(@Nullable String ref, AdminErrorCode code, String message) implements AdminReply {}

    /**
     * Long work goes on.
     *
     * @param stage what is being done, e.g. {@code receiving}, {@code building}, {@code verifying}
     * @param done of {@code of} units
     */
    record Progress(String ref, String stage, long done, long of) implements AdminReply {}
}
