package dev.tidestream.server.cluster.peer;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

import org.jspecify.annotations.Nullable;

/** What all nodes of a cluster know and nobody else. Immutable; never shown. */
public final class ClusterSecret {
    private final String header;

    /** @param secret as it stands in its file */
    public ClusterSecret(String secret) {
        header = "Bearer " + secret;
    }

    /** The value of {@code authorization}. */
    String header() {
        return header;
    }

    /** Whether a request shows it; takes as long for a wrong one as for the right one. */
    boolean shownBy(@Nullable String authorization) {
        return authorization != null
                && MessageDigest.isEqual(header.getBytes(StandardCharsets.UTF_8), authorization.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public String toString() {
        return "ClusterSecret";
    }
}
