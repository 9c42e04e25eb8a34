/**
 * TLS: a certificate and its key in PEM files, read and checked together, and taken anew when they change.
 */
@NullMarked
package dev.tidestream.server.transport.tls;

import org.jspecify.annotations.NullMarked;
