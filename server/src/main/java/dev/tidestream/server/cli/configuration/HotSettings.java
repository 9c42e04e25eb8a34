package dev.tidestream.server.cli.configuration;

import java.util.Set;

/** Which settings a running server takes anew; {@code docs/configuration.md} says what each means for what is there already. */
public final class HotSettings {
    private static final Set<String> HOT = Set.of("log-level", "max-connections", "max-streams", "max-body", "max-pending",
            "max-pending-per-address", "request-timeout", "drain-timeout", "allow-host", "allow-origin",
            "max-sequences-per-connection", "max-queued", "max-queued-memory", "max-queued-tokens", "batch-share",
            "max-parked", "max-parked-memory", "stall-timeout");

    private HotSettings() {}

    /** All of them. */
    public static Set<String> names() {
        return HOT;
    }

    /** Whether a change of this setting needs no restart. */
    public static boolean isHot(String name) {
        return HOT.contains(name);
    }
}
