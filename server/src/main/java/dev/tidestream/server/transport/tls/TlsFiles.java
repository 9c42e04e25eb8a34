package dev.tidestream.server.transport.tls;

import java.nio.file.Path;

/**
 * Where a server's certificate and its private key are, in PEM.
 *
 * @param certificate its own first, then those that signed it
 * @param key RSA or EC, in PKCS #8, PKCS #1 or SEC 1, not encrypted
 */
public record TlsFiles(Path certificate, Path key) {}
