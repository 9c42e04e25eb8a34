package dev.tidestream.server.transport.http;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

import io.netty.util.NetUtil;
import io.vertx.core.net.HostAndPort;
import org.jspecify.annotations.Nullable;

/**
 * Which names a server goes by, and which web pages may use it. Any thread.
 *
 * <p>A page of any site can have its reader's browser open a WebSocket to this server, and the browser says in {@code Origin}
 * which site that is (cross-site WebSocket hijacking, CWE-1385). And a site can have its own name resolve to the address of
 * this server (DNS rebinding): then origin and host agree, but {@code Host} has a name that nobody gave this server. Programs
 * that are no browsers send no {@code Origin}.
 */
public final class HostPolicy {
    private static final String ANY = "*";
    private static final Set<String> SCHEMES = Set.of("http", "https");

    private final Set<String> hosts; // as name() has them
    private final Set<String> origins;
    private final boolean anyHost;
    private final boolean anyAddress;

    /**
     * @param boundHost what the server listens on: an address, or a name
     * @param allowedHosts names and addresses, without port, that it goes by beside that one and those of the loopback;
     *         {@code *}: any
     * @param allowedOrigins as browsers send them, e.g. {@code https://chat.example}; {@code *}: any
     */
    public HostPolicy(String boundHost, List<String> allowedHosts, List<String> allowedOrigins) {
        Set<String> names = allowedHosts.stream().map(HostPolicy::name).collect(Collectors.toSet());
        String bound = name(boundHost);
        names.add(bound);
        this.hosts = Set.copyOf(names);
        this.origins = Set.copyOf(allowedOrigins);
        this.anyHost = allowedHosts.contains(ANY);
        this.anyAddress = !isLoopbackName(bound); // an address cannot be rebound, and machines may have many
    }

    /** Whether this server goes by that name, which has no port. */
    public boolean isOurs(String host) {
        String name = name(host);
        return anyHost || hosts.contains(name) || isLoopbackName(name) || (anyAddress && address(name) != null);
    }

    /**
     * Whether a page of this origin may use the server: one that was allowed, or one that this very host shows, at whatever port.
     * All names of the loopback are one host.
     *
     * @param origin the header of that name
     * @param host what the request was sent to, without port, {@linkplain #isOurs ours}; null if it does not say
     */
    public boolean isAllowed(String origin, @Nullable String host) {
        if (origins.contains(ANY) || origins.contains(origin)) {
            return true;
        }
        try {
            URI uri = new URI(origin);
            if (host == null || uri.getHost() == null || !SCHEMES.contains(uri.getScheme())) {
                return false; // "null", too
            }
            String page = name(uri.getHost());
            return page.equals(name(host)) || (isLoopbackName(page) && isLoopbackName(name(host)));
        } catch (URISyntaxException e) {
            return false; // no browser's
        }
    }

    /** The host in a {@code Host} header or an authority, without port; null if it is none. */
    static @Nullable String host(String authority) {
        HostAndPort parsed = HostAndPort.parseAuthority(authority, -1);
        return parsed == null || parsed.host().isEmpty() ? null : parsed.host();
    }

    /** Whether this is an address of the loopback, or a name for it: {@code localhost}, and what ends in it. */
    public static boolean isLoopback(String host) {
        return isLoopbackName(name(host));
    }

    private static boolean isLoopbackName(String name) {
        InetAddress address = address(name);
        return address == null ? name.equals("localhost") || name.endsWith(".localhost") : address.isLoopbackAddress();
    }

    /** One form for each name and each address. */
    private static String name(String host) {
        String bare = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
        InetAddress address = address(bare);
        if (address != null) {
            return address.getHostAddress();
        }
        String name = bare.toLowerCase(Locale.ROOT);
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }

    private static @Nullable InetAddress address(String literal) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(literal);
        try {
            return bytes == null ? null : InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("4 or 16 bytes are an address: " + literal, e);
        }
    }
}
