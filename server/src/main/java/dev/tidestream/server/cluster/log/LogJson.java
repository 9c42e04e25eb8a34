package dev.tidestream.server.cluster.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminErrorCode;

/**
 * Commands, answers, snapshots and states as JSON: what stands in the log, in snapshots, and goes between nodes.
 *
 * <pre>
 * manifest  {"update_id","base_version","label","base_sha256","parts":[{"sha256","bytes","kind":"record"|"payload"}],
 *            "result_sha256","rollback_to"?,"proposer","committed_at"}
 * command   {"propose":manifest} | {"publish":7}
 * answer    {"accepted":{"version","manifest","repeated"}} | {"published":7} | {"refused":{"code","message"}}
 * snapshot  {"format":"tidestream.weights","format_version":1,"versions":[manifest…],"published","digest"}
 * news      {"versions":[manifest…],"state":{…}}
 * </pre>
 */
final class LogJson {
    private static final String FORMAT = "tidestream.weights";
    private static final int FORMAT_VERSION = 1;
    private static final Pattern HEX_64 = Pattern.compile("[0-9a-f]{64}");
    private static final JsonMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .defaultPropertyInclusion(JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    private LogJson() {}

    private record PartJson(@Nullable String sha256, long bytes, @Nullable String kind) {}

    private record ManifestJson(
            @Nullable String updateId, long baseVersion, @Nullable String label, @Nullable String baseSha256,
            @Nullable List<@Nullable PartJson> parts, @Nullable String resultSha256, @Nullable Long rollbackTo, @Nullable String proposer,
            @Nullable String committedAt) {

        static ManifestJson of(Manifest m) {
            List<@Nullable PartJson> parts = new ArrayList<>();
            m.parts().forEach(part -> parts.add(new PartJson(part.sha256(), part.bytes(), part.kind().name().toLowerCase(Locale.ROOT))));
            return new ManifestJson(m.updateId(), m.baseVersion(), m.label(), m.baseSha256(), parts, m.resultSha256(),
                    m.rollbackTo().isPresent() ? m.rollbackTo().getAsLong() : null, m.proposer(), m.committedAt().toString());
        }

        Manifest read() {
            List<Manifest.Part> read = new ArrayList<>();
            for (@Nullable PartJson part : present("parts", parts)) {
                PartJson one = present("part", part);
                read.add(new Manifest.Part(sha256("sha256", one.sha256()), one.bytes(),
                        Manifest.PartKind.valueOf(present("kind", one.kind()).toUpperCase(Locale.ROOT))));
            }
            return new Manifest(present("update_id", updateId), baseVersion, present("label", label),
                    sha256("base_sha256", baseSha256), read,
                    sha256("result_sha256", resultSha256), rollbackTo == null ? OptionalLong.empty() : OptionalLong.of(rollbackTo),
                    present("proposer", proposer), Instant.parse(present("committed_at", committedAt)));
        }
    }

    private record CommandJson(@Nullable ManifestJson propose, @Nullable Long publish) {}

    private record AcceptedJson(long version, @Nullable ManifestJson manifest, boolean repeated) {}

    private record RefusedJson(@Nullable String code, @Nullable String message) {}

    private record AnswerJson(@Nullable AcceptedJson accepted, @Nullable Long published, @Nullable RefusedJson refused) {}

    private record SnapshotJson(
            @Nullable String format, int formatVersion, @Nullable List<@Nullable ManifestJson> versions, long published,
            @Nullable String digest) {}

    private record StateJson(
            @Nullable String nodeId, @Nullable String leader, long term, @Nullable List<String> keepers, long lastIndex, long committed,
            long published, @Nullable String digest) {}

    private record NewsJson(@Nullable List<@Nullable ManifestJson> versions, @Nullable StateJson state) {}

    /** What a node is told that asks for news. */
    record News(List<Manifest> versions, LogState state) {}

    static byte[] bytes(Manifest manifest) {
        return write(ManifestJson.of(manifest));
    }

    static byte[] bytes(LogCommand command) {
        return write(switch (command) {
            case LogCommand.Propose(Manifest manifest) -> new CommandJson(ManifestJson.of(manifest), null);
            case LogCommand.Publish(long version) -> new CommandJson(null, version);
        });
    }

    static LogCommand command(byte[] bytes) {
        return reading(() -> {
            CommandJson read = JSON.readValue(bytes, CommandJson.class);
            if (read.propose() != null) {
                return new LogCommand.Propose(read.propose().read());
            }
            return new LogCommand.Publish(present("propose or publish", read.publish()));
        });
    }

    static byte[] bytes(LogAnswer answer) {
        return write(switch (answer) {
            case LogAnswer.Accepted(Committed c) ->
                    new AnswerJson(new AcceptedJson(c.version(), ManifestJson.of(c.manifest()), c.repeated()), null, null);
            case LogAnswer.Published(long version) -> new AnswerJson(null, version, null);
            case LogAnswer.Refused(AdminErrorCode code, String message) ->
                    new AnswerJson(null, null, new RefusedJson(code.wireName(), message));
        });
    }

    static LogAnswer answer(byte[] bytes) {
        return reading(() -> {
            AnswerJson read = JSON.readValue(bytes, AnswerJson.class);
            if (read.accepted() != null) {
                Manifest manifest = present("manifest", read.accepted().manifest()).read();
                return new LogAnswer.Accepted(new Committed(read.accepted().version(), manifest, read.accepted().repeated()));
            }
            if (read.published() != null) {
                return new LogAnswer.Published(read.published());
            }
            RefusedJson refused = present("accepted, published or refused", read.refused());
            return new LogAnswer.Refused(AdminErrorCode.valueOf(present("code", refused.code()).toUpperCase(Locale.ROOT)),
                    present("message", refused.message()));
        });
    }

    private static List<@Nullable ManifestJson> all(List<Manifest> manifests) {
        List<@Nullable ManifestJson> all = new ArrayList<>();
        manifests.forEach(manifest -> all.add(ManifestJson.of(manifest)));
        return all;
    }

    private static List<Manifest> read(@Nullable List<@Nullable ManifestJson> manifests) {
        List<Manifest> read = new ArrayList<>();
        for (@Nullable ManifestJson manifest : present("versions", manifests)) {
            read.add(present("version", manifest).read());
        }
        return read;
    }

    static byte[] snapshot(WeightRegister register) {
        return write(new SnapshotJson(FORMAT, FORMAT_VERSION, all(register.versions()), register.published(), register.digest()));
    }

    static WeightRegister register(byte[] snapshot) {
        return reading(() -> {
            SnapshotJson read = JSON.readValue(snapshot, SnapshotJson.class);
            if (!FORMAT.equals(read.format()) || read.formatVersion() != FORMAT_VERSION) {
                throw new IllegalArgumentException("not a snapshot of the log: format=%s, format_version=%d"
                        .formatted(read.format(), read.formatVersion()));
            }
            return new WeightRegister(read(read.versions()), read.published(), present("digest", read.digest()));
        });
    }

    static byte[] bytes(LogState s) {
        return write(json(s));
    }

    private static StateJson json(LogState s) {
        return new StateJson(s.nodeId(), s.leader().orElse(null), s.term(), s.keepers().stream().map(Keeper::toString).toList(),
                s.lastIndex(), s.committedVersion(), s.publishedVersion(), s.digest());
    }

    static byte[] bytes(News news) {
        return write(new NewsJson(all(news.versions()), json(news.state())));
    }

    static News news(byte[] bytes) {
        return reading(() -> {
            NewsJson read = JSON.readValue(bytes, NewsJson.class);
            return new News(read(read.versions()), state(present("state", read.state())));
        });
    }

    static LogState state(byte[] bytes) {
        return reading(() -> state(JSON.readValue(bytes, StateJson.class)));
    }

    private static LogState state(StateJson read) {
        return new LogState(present("node_id", read.nodeId()), Optional.ofNullable(read.leader()), read.term(),
                present("keepers", read.keepers()).stream().map(Keeper::parse).toList(), read.lastIndex(), read.committed(),
                read.published(), present("digest", read.digest()));
    }

    private static byte[] write(Object value) {
        try {
            return JSON.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads JSON. */
    private interface Reading<T> {
        T read() throws IOException;
    }

    /** @throws IllegalArgumentException if it is something else, whatever that is */
    private static <T> T reading(Reading<T> reading) {
        try {
            return reading.read();
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not JSON of the right shape: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("committed_at is not an instant: " + e.getMessage(), e);
        }
    }

    private static String sha256(String name, @Nullable String value) {
        if (!HEX_64.matcher(present(name, value)).matches()) {
            throw new IllegalArgumentException("%s is not a SHA-256: %s".formatted(name, value));
        }
        return present(name, value);
    }

    private static <T> T present(String name, @Nullable T value) {
        if (value == null) {
            throw new IllegalArgumentException("missing: " + name);
        }
        return value;
    }
}
