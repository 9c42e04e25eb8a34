package dev.tidestream.server.cluster.node;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;

import io.vertx.core.http.HttpHeaders;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.transport.common.Remote;
import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;

/** Lets in who shows the secret of the cluster, under whatever name of this node, and nobody else. */
final class SecretAuth {
    private static final Logger log = LoggerFactory.getLogger(SecretAuth.class);
    private static final String SCHEME = "Bearer ";
    private static final int UNAUTHORIZED = 401;

    private SecretAuth() {}

    static Auth of(String secret) {
        byte[] expected = secret.getBytes(StandardCharsets.UTF_8);
        return new Auth(true, false, false, exchange -> isLetIn(exchange, expected));
    }

    private static boolean isLetIn(Exchange exchange, byte[] expected) {
        List<String> shown = exchange.request().headers().getAll(HttpHeaders.AUTHORIZATION);
        if (shown.size() == 1 && shown.getFirst().startsWith(SCHEME)
                && MessageDigest.isEqual(expected, shown.getFirst().substring(SCHEME.length()).getBytes(StandardCharsets.UTF_8))) {
            return true;
        }
        log.warn("somebody without the secret of the cluster was not let in: remote={}", Remote.of(exchange.request().remoteAddress()));
        exchange.response().putHeader("WWW-Authenticate", "Bearer");
        var _ = exchange.refuse(HttpError.of(UNAUTHORIZED, "unauthorized", "the secret of the cluster is required, and it must be the right one"));
        return false;
    }
}
