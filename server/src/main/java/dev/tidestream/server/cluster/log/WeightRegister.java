package dev.tidestream.server.cluster.log;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.store.directory.Sha256;

/**
 * The versions, as a function of the commands before: no clock, no configuration and no chance in it, so that all keepers have the same.
 * One thread at a time.
 */
final class WeightRegister {
    private final List<Manifest> versions;
    private final Map<String, Long> byUpdateId = new HashMap<>();
    private long published;
    private String digest;

    WeightRegister() {
        this(List.of(), Manifest.BASE_VERSION, "");
    }

    /**
     * As it was written down.
     *
     * @param versions from the first after the base on
     * @param digest of all that was accepted
     */
    WeightRegister(List<Manifest> versions, long published, String digest) {
        this.versions = new ArrayList<>(versions);
        this.published = published;
        this.digest = digest;
        for (int i = 0; i < versions.size(); i++) {
            byUpdateId.put(versions.get(i).updateId(), version(i));
        }
    }

    private static long version(int index) {
        return Manifest.BASE_VERSION + 1 + index;
    }

    /** The newest version. */
    long current() {
        return Manifest.BASE_VERSION + versions.size();
    }

    /** The version for new streams. */
    long published() {
        return published;
    }

    /** SHA-256 over all that was accepted, in order; empty before the first. */
    String digest() {
        return digest;
    }

    /** All versions, from the first after the base on. */
    List<Manifest> versions() {
        return List.copyOf(versions);
    }

    /**
     * Versions after one.
     *
     * @param atMost so many
     */
    List<Manifest> after(long version, int atMost) {
        int from = Math.clamp(version - Manifest.BASE_VERSION, 0, versions.size());
        return List.copyOf(versions.subList(from, (int) Math.min(versions.size(), (long) from + atMost)));
    }

    /** Applies a command. */
    LogAnswer apply(LogCommand command) {
        return switch (command) {
            case LogCommand.Propose(Manifest manifest) -> propose(manifest);
            case LogCommand.Publish(long version) -> publish(version);
        };
    }

    private LogAnswer propose(Manifest manifest) {
        Long known = byUpdateId.get(manifest.updateId());
        if (known != null) {
            return repeated(known, manifest);
        }
        if (!versions.isEmpty() && !versions.getFirst().baseSha256().equals(manifest.baseSha256())) {
            return new LogAnswer.Refused(AdminErrorCode.INVALID_VALUE, "the log is of another model: base_sha256=%s, log=%s"
                    .formatted(manifest.baseSha256(), versions.getFirst().baseSha256()));
        }
        if (manifest.baseVersion() != current()) {
            return new LogAnswer.Refused(AdminErrorCode.STALE_BASE_VERSION,
                    "the current version is another one: base_version=%d, weights_version=%d".formatted(manifest.baseVersion(), current()));
        }
        if (manifest.rollbackTo().isPresent()
                && (manifest.rollbackTo().getAsLong() < Manifest.BASE_VERSION || manifest.rollbackTo().getAsLong() >= current())) {
            return new LogAnswer.Refused(AdminErrorCode.UNKNOWN_VERSION, "no such version to go back to: to_version=%d, known=%d..%d"
                    .formatted(manifest.rollbackTo().getAsLong(), Manifest.BASE_VERSION, current() - 1));
        }
        byUpdateId.put(manifest.updateId(), current() + 1);
        versions.add(manifest);
        extend(LogJson.bytes(manifest));
        return new LogAnswer.Accepted(new Committed(current(), manifest, false));
    }

    private LogAnswer repeated(long version, Manifest manifest) {
        Manifest committed = versions.get((int) (version - Manifest.BASE_VERSION - 1));
        if (committed.sameUpdate(manifest)) {
            return new LogAnswer.Accepted(new Committed(version, committed, true));
        }
        return new LogAnswer.Refused(AdminErrorCode.UPDATE_CONFLICT, "update_id '%s' is version %d, which is another update"
                .formatted(manifest.updateId(), version));
    }

    private LogAnswer publish(long version) {
        if (version < Manifest.BASE_VERSION || version > current()) {
            return new LogAnswer.Refused(AdminErrorCode.UNKNOWN_VERSION, "no such version: version=%d, known=%d..%d"
                    .formatted(version, Manifest.BASE_VERSION, current()));
        }
        if (version > published) {
            published = version;
            extend(("publish " + version).getBytes(StandardCharsets.UTF_8));
        }
        return new LogAnswer.Published(published);
    }

    private void extend(byte[] accepted) {
        byte[] before = digest.getBytes(StandardCharsets.US_ASCII);
        byte[] both = new byte[before.length + accepted.length];
        System.arraycopy(before, 0, both, 0, before.length);
        System.arraycopy(accepted, 0, both, before.length, accepted.length);
        digest = Sha256.of(both);
    }
}
