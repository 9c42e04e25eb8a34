package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.admin.store.directory.Sha256;

/**
 * The list of committed versions as a file.
 *
 * <pre>
 * {"sha256": of the compact JSON of "log",
 *  "log": {"format": "tidestream.updates", "format_version": 1, "base_sha256": of the GGUF file,
 *          "versions": [
 *            {"weights_version": 2, "change": "update", "base_version": 1, "committed_at": "2026-11-23T05:00:00Z",
 *             "update_id": string, "tensor": string, "kind": "rows", "shape": [3, 64], "dtype": "f32", "rank": 0,
 *             "sha256": hex, "byte_length": 780, "payload": "payload-2-0123456789abcdef.bin"},
 *            {"weights_version": 3, "change": "rollback", "base_version": 2, "committed_at": …, "to_version": 1},
 *            {"weights_version": 4, "change": "transaction", "base_version": 3, "committed_at": …, "update_id": string,
 *             "sha256": hex, "byte_length": 12345, "payload": "payload-4-….bin", "label": string, "request_sha256": hex,
 *             "changes": [{"tensor": string, "kind": "sparse", "shape": [5], "dtype": "bf16", "rank": 0, "byte_length": 50,
 *                          "changed_rows": 3, "result_sha256": hex}]}],
 *          "held": [3], "bases": [4]}}
 * </pre>
 *
 * <p>Versions stand in order and without gaps. A file that says anything else is refused as a whole. {@code "held": [3]} after the
 * versions lists those that have never been published, if there are any: the greatest other one is served. A program that does not know
 * the field refuses the file, rather than serve one of them. {@code bases} is there once the history was pruned ({@link Compaction});
 * the format version is 2 then.
 *
 * @param held versions that were committed to be published later, and have not been; some may be pruned
 * @param compaction null if nothing was pruned
 */
record Manifest(String baseSha256, List<VersionRecord> versions, SortedSet<Long> held, @Nullable Compaction compaction) {
    static final int FORMAT_VERSION = 1;
    static final int FORMAT_VERSION_PRUNED = 2;
    private static final String FORMAT = "tidestream.updates";
    private static final Pattern HEX_64 = Pattern.compile("[0-9a-f]{64}");
    private static final JsonMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .defaultPropertyInclusion(JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    Manifest {
        versions = List.copyOf(versions);
        held = Collections.unmodifiableSortedSet(new TreeSet<>(held));
    }

    /** All of whose versions have been published, and none was pruned. */
    Manifest(String baseSha256, List<VersionRecord> versions) {
        this(baseSha256, versions, new TreeSet<>(), null);
    }

    /** The same with a record more. */
    Manifest with(VersionRecord record, boolean hold) {
        List<VersionRecord> more = new ArrayList<>(versions);
        more.add(record);
        SortedSet<Long> holds = new TreeSet<>(held);
        if (hold) {
            holds.add(record.weightsVersion());
        }
        return new Manifest(baseSha256, more, holds, compaction);
    }

    /** The same with a held version published. */
    Manifest published(long version) {
        SortedSet<Long> holds = new TreeSet<>(held);
        holds.remove(version);
        return new Manifest(baseSha256, versions, holds, compaction);
    }

    /** The same without what only versions older than one need. */
    Manifest pruned(long from) {
        return new Manifest(baseSha256, versions, held, Compaction.of(versions, from));
    }

    private record Document(
            @Nullable String format, int formatVersion, @Nullable String baseSha256, @Nullable List<@Nullable Entry> versions,
            @Nullable List<Long> held, @Nullable List<@Nullable Long> bases) {}

    private record Entry(
            long weightsVersion,
            @Nullable String change,
            long baseVersion,
            @Nullable String committedAt,
            @Nullable String updateId,
            @Nullable String tensor,
            @Nullable String kind,
            @Nullable List<Long> shape,
            @Nullable String dtype,
            @Nullable Integer rank,
            @Nullable String sha256,
            @Nullable Long byteLength,
            @Nullable String payload,
            @Nullable Long toVersion,
            @Nullable String label,
            @Nullable String requestSha256,
            @Nullable List<@Nullable ManifestChange> changes) {

        static Entry of(VersionRecord version) {
            return switch (version) {
                case VersionRecord.Updated(long number, UpdateSpec s, String payloadFile, Instant at) -> new Entry(
                        number, "update", s.baseVersion(), at.toString(), s.updateId(), s.tensor(), s.kind().wireName(), s.shape(),
                        s.dtype().wireName(), s.rank(), s.sha256(), s.byteLength(), payloadFile, null, null, null, null);
                case VersionRecord.Transaction(long number, TransactionSpec s, String payloadFile, Instant at) -> new Entry(
                        number, "transaction", s.baseVersion(), at.toString(), s.updateId(), null, null, null, null, null, s.sha256(),
                        s.byteLength(), payloadFile, null, s.label(), s.requestSha256(),
                        s.changes().stream().map(ManifestChange::of).toList());
                case VersionRecord.RolledBack(long number, long base, long to, Instant at) -> new Entry(
                        number, "rollback", base, at.toString(), null, null, null, null, null, null, null, null, null, to, null, null, null);
            };
        }

        VersionRecord toRecord() {
            Instant at = Instant.parse(present("committed_at", committedAt));
            return switch (present("change", change)) {
                case "update" -> new VersionRecord.Updated(
                        weightsVersion,
                        new UpdateSpec(
                                present("update_id", updateId),
                                baseVersion,
                                present("tensor", tensor),
                                UpdateKind.valueOf(upper(present("kind", kind))),
                                checkedShape(),
                                PayloadType.valueOf(upper(present("dtype", dtype))),
                                present("rank", rank),
                                present("sha256", sha256),
                                present("byte_length", byteLength)),
                        present("payload", payload),
                        at);
                case "transaction" -> transaction(at);
                case "rollback" -> new VersionRecord.RolledBack(weightsVersion, baseVersion, present("to_version", toVersion), at);
                default -> throw new IllegalArgumentException("unknown change: " + change);
            };
        }

        private VersionRecord transaction(Instant at) {
            List<TensorChange> all = new ArrayList<>();
            long offset = 0;
            for (@Nullable ManifestChange part : present("changes", changes)) {
                TensorChange read = present("change", part).toChange(offset);
                offset += read.byteLength();
                all.add(read);
            }
            require(offset == present("byte_length", byteLength), "changes do not fill the payload: bytes=" + offset);
            return new VersionRecord.Transaction(
                    weightsVersion,
                    new TransactionSpec(present("update_id", updateId), baseVersion, present("label", label),
                            present("request_sha256", requestSha256), all, present("sha256", sha256), offset),
                    present("payload", payload),
                    at);
        }

        private List<Long> checkedShape() {
            return checked(present("shape", shape));
        }
    }

    /** Whether a version can be rebuilt no more. */
    boolean isGone(long version) {
        return compaction != null && compaction.isGone(version);
    }

    /** Whether a version has its payload still, if it had one. */
    boolean hasPayload(VersionRecord version) {
        return compaction == null || !compaction.hasDropped(version.weightsVersion());
    }

    /** Versions whose checkpoints nothing stands in for; ascending. */
    List<Long> bases() {
        return compaction == null ? List.of() : compaction.baseVersions();
    }

    /** A version alone, as it stands in the list. */
    static byte[] toBytes(VersionRecord version) {
        return bytes(JSON.valueToTree(Entry.of(version)));
    }

    /**
     * Reads it.
     *
     * @throws IllegalArgumentException if it is none
     */
    static VersionRecord parseVersion(byte[] bytes) {
        try {
            return present("version", JSON.readValue(bytes, Entry.class)).toRecord();
        } catch (IOException e) {
            throw new IllegalArgumentException("not a version's record: " + Reasons.of(e), e);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("committed_at is not an instant: " + e.getMessage(), e);
        }
    }

    /** Name of the payload of a version. */
    static String payloadName(long weightsVersion, String sha256) {
        return "payload-" + weightsVersion + "-" + sha256.substring(0, 16) + ".bin";
    }

    byte[] toBytes() {
        ObjectNode log = JSON.valueToTree(
                new Document(FORMAT, compaction == null ? FORMAT_VERSION : FORMAT_VERSION_PRUNED, baseSha256,
                        versions.stream().map(Entry::of).toList(), held.isEmpty() ? null : List.copyOf(held),
                        compaction == null ? null : new ArrayList<>(compaction.baseVersions())));
        ObjectNode root = JSON.createObjectNode();
        root.put("sha256", Sha256.of(bytes(log)));
        root.set("log", log);
        return bytes(root);
    }

    private static byte[] bytes(JsonNode node) {
        try {
            return JSON.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Reads and checks a manifest.
     *
     * @throws IllegalArgumentException if it is damaged, inconsistent, or of another format version; the message says where
     */
    static Manifest parse(byte[] bytes) {
        try {
            JsonNode root = JSON.readTree(bytes);
            JsonNode log = root.path("log");
            require(root.size() == 2 && log.isObject(), "not a manifest");
            require(root.path("sha256").asText().equals(Sha256.of(bytes(log))), "checksum mismatch");
            int formatVersion = log.path("format_version").asInt();
            require(formatVersion == FORMAT_VERSION || formatVersion == FORMAT_VERSION_PRUNED,
                    "format_version must be %d or %d: %d".formatted(FORMAT_VERSION, FORMAT_VERSION_PRUNED, formatVersion));
            Document document = JSON.treeToValue(log, Document.class);
            require(FORMAT.equals(document.format()), "not a manifest: format=" + document.format());
            String baseSha256 = present("base_sha256", document.baseSha256());
            require(isSha256(baseSha256), "base_sha256 is not a SHA-256: " + baseSha256);
            List<VersionRecord> versions = new ArrayList<>();
            for (@Nullable Entry entry : present("versions", document.versions())) {
                versions.add(present("version", entry).toRecord());
            }
            check(versions);
            require((document.bases() == null) == (formatVersion == FORMAT_VERSION), "bases do not go with format_version " + formatVersion);
            Manifest read = new Manifest(
                    baseSha256, versions, held(document, versions), Compaction.parse(document.bases(), versions));
            require(!read.isGone(VersionHistory.current(read)), "the version that is served was pruned: " + VersionHistory.current(read));
            return read;
        } catch (JsonMappingException e) { // its message is about Java's types
            throw new IllegalArgumentException("not JSON of the right shape: " + e.getPath().stream()
                    .map(at -> at.getFieldName() == null ? "[" + at.getIndex() + "]" : at.getFieldName())
                    .collect(Collectors.joining(".")), e);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new IllegalArgumentException("not JSON: " + Reasons.of(e), e);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("committed_at is not an instant: " + e.getMessage(), e);
        }
    }

    private static SortedSet<Long> held(Document document, List<VersionRecord> versions) {
        SortedSet<Long> held = new TreeSet<>();
        for (@Nullable Long version : document.held() == null ? List.<Long>of() : document.held()) {
            require(version != null && version > UpdateLog.BASE_VERSION && version <= UpdateLog.BASE_VERSION + versions.size()
                    && held.add(version), "held versions must be versions, each once: " + version);
        }
        return held;
    }

    private static void check(List<VersionRecord> versions) {
        Set<String> updateIds = new HashSet<>();
        long current = UpdateLog.BASE_VERSION;
        for (VersionRecord version : versions) {
            String where = "version " + version.weightsVersion() + ": ";
            require(version.weightsVersion() == current + 1, where + "expected " + (current + 1));
            require(version.baseVersion() >= UpdateLog.BASE_VERSION && version.baseVersion() <= current, // held ones may lie between
                    where + "base_version must be in " + UpdateLog.BASE_VERSION + ".." + current + ": " + version.baseVersion());
            switch (version) {
                case VersionRecord.WithPayload u -> {
                    require(updateIds.add(u.updateId()), where + "update_id occurs twice: " + u.updateId());
                    require(isSha256(u.sha256()), where + "sha256 is not a SHA-256");
                    require(u.byteLength() >= 1 || u instanceof VersionRecord.Transaction,
                            where + "byte_length must be positive: " + u.byteLength());
                    require(u.payloadFile().equals(payloadName(u.weightsVersion(), u.sha256())),
                            where + "unexpected payload name: " + u.payloadFile());
                }
                case VersionRecord.RolledBack r -> require(
                        r.toVersion() >= UpdateLog.BASE_VERSION && r.toVersion() < current,
                        where + "to_version must be in " + UpdateLog.BASE_VERSION + ".." + (current - 1) + ": " + r.toVersion());
            }
            current++;
        }
    }

    private static boolean isSha256(@Nullable String hex) {
        return hex != null && HEX_64.matcher(hex).matches();
    }

    static List<Long> checked(List<Long> dimensions) {
        for (@Nullable Long dimension : dimensions) {
            require(dimension != null && dimension > 0, "shape must be positive: " + dimensions);
        }
        return dimensions;
    }

    static String upper(String name) {
        return name.toUpperCase(Locale.ROOT);
    }

    static <T> T present(String name, @Nullable T value) {
        if (value == null) {
            throw new IllegalArgumentException("missing: " + name);
        }
        return value;
    }

    static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
