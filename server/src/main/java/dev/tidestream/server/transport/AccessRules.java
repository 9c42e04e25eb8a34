package dev.tidestream.server.transport;

import java.util.List;

/**
 * Who may use the server beside programs and pages of its own host; see {@link dev.tidestream.server.transport.http.HostPolicy}.
 *
 * @param hosts names and addresses, without port, that it goes by; {@code *}: any
 * @param origins of web pages, exactly as browsers send them; {@code *}: any
 */
public record AccessRules(List<String> hosts, List<String> origins) {
    /** None but its own. */
    public static final AccessRules OWN = new AccessRules(List.of(), List.of());

    public AccessRules {
        hosts = List.copyOf(hosts);
        origins = List.copyOf(origins);
    }
}
