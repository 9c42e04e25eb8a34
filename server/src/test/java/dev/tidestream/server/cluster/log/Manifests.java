package dev.tidestream.server.cluster.log;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;

import dev.tidestream.server.admin.store.directory.Sha256;

/** Manifests for tests. */
final class Manifests {
    private static final String BASE = Sha256.of(new byte[0]);

    private Manifests() {}

    static byte[] payload(String id) {
        return ("payload of " + id).repeat(100).getBytes(StandardCharsets.UTF_8);
    }

    static Manifest update(String id, long baseVersion) {
        byte[] payload = payload(id);
        return new Manifest(id, baseVersion, "label of " + id, BASE,
                List.of(new Manifest.Part(Sha256.of(payload), payload.length, Manifest.PartKind.PAYLOAD)),
                Sha256.of(id.getBytes(StandardCharsets.UTF_8)), OptionalLong.empty(), "n1", Instant.parse("2026-11-23T05:00:00Z"));
    }

    static Manifest rollback(String id, long baseVersion, long to) {
        return new Manifest(id, baseVersion, "", BASE, List.of(), Sha256.of(id.getBytes(StandardCharsets.UTF_8)), OptionalLong.of(to), "n1",
                Instant.parse("2026-11-23T05:00:00Z"));
    }
}
