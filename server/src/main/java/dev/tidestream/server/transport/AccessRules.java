package dev.tidestream.server.transport;

import java.nio.file.Path;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * Who may use the server; for hosts and origins see {@link dev.tidestream.server.transport.http.HostPolicy}.
 *
 * @param hosts names and addresses, without port, that it goes by beside its own; {@code *}: any
 * @param origins of web pages, exactly as browsers send them, beside pages of its own host; {@code *}: any
 * @param apiKeys a file of keys, of which clients must show one; null: clients need none
 * @param unauthenticated whether a server without keys may listen beyond this machine
 * @param keyMetrics whether metrics name the keys
 * @param console whether the web console is shown; what it asks for needs a key all the same
 */
public record AccessRules(
        List<String> hosts, List<String> origins, @Nullable Path apiKeys, boolean unauthenticated, boolean keyMetrics,
        boolean console) {
    /** Programs and pages of its own host, without a key. */
    public static final AccessRules OWN = new AccessRules(List.of(), List.of());

    public AccessRules {
        hosts = List.copyOf(hosts);
        origins = List.copyOf(origins);
    }

    /** Without keys, on this machine only. */
    public AccessRules(List<String> hosts, List<String> origins) {
        this(hosts, origins, null, false, false, true);
    }

    /** The same for clients with a key of this file. */
    public AccessRules withApiKeys(@Nullable Path file) {
        return new AccessRules(hosts, origins, file, unauthenticated, keyMetrics, console);
    }

    /** The same, which may listen beyond this machine without keys, or may not. */
    public AccessRules withUnauthenticated(boolean allowed) {
        return new AccessRules(hosts, origins, apiKeys, allowed, keyMetrics, console);
    }

    /** The same, with the web console or without. */
    public AccessRules withConsole(boolean shown) {
        return new AccessRules(hosts, origins, apiKeys, unauthenticated, keyMetrics, shown);
    }
}
